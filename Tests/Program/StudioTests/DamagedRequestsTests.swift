import Foundation
import TestSupport
import Testing

@testable import Studio

/// `NIFTY_FUZZ=100000` sends so many; that takes longer than any other test of a server may.
@Suite("Damaged requests to the studio", .serialized, .timeLimit(.minutes(60)))
struct DamagedRequestsTests {
  private static let requests: [[UInt8]] = [
    "GET /api/model HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c; nifty_studio=d\r\n\r\n",
    "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      + "Content-Length: 15\r\nExpect: 100-continue\r\n\r\n{\"prompt\": \"a\"}",
    "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\nf;a=b\r\n{\"prompt\": \"a\"}\r\n0\r\nX: y\r\n\r\n",
    "GET /api/curve?run=%2e&statistic=a%20b&points=20&smooth=0.5 HTTP/1.0\r\nHost: localhost:1\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"a\"\r\nRange: bytes=0-1\r\n\r\n"
      + "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\nxyz",
    "GET http://localhost/v1/pictures/a.png HTTP/1.1\r\nHost: localhost\r\n\r\n",
  ].map { Array($0.utf8) }

  private static let alphabet =
    Array("0123456789 \r\n\t:/;,-%@[]{}\"?&=*\0\u{7F}aHTP".utf8) + [0x80, 0xFF]

  @Test func `damaged requests do no harm to the server`() async throws {
    let routes = try await Emoji.routes()
    let inputs = DamagedInputs(Self.requests, alphabet: Self.alphabet)
    let count = ProcessInfo.processInfo.environment["NIFTY_FUZZ"].flatMap { Int($0) } ?? 1000
    try await serving(routes, connections: 64, seconds: 60) { port in
      for number in 0..<count {
        let connection = try RawConnection(port: port)
        connection.send(inputs.input(number))
        // Some go at once, the others hear a word first.
        if number % 4 != 0 { _ = await connection.received(until: " ", within: 0.05) }
      }
      let fine = try RawConnection(port: port)
      let body = #"{"prompt": "sun"}"#
      fine.send(
        "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
      #expect(await fine.received(until: "IEND").hasPrefix("HTTP/1.1 200"))
    }
  }
}
