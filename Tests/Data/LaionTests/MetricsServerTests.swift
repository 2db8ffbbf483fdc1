import Foundation
import Glibc
import Laion
import TestSupport
import Testing

@Suite("Metrics server") struct MetricsServerTests {
  /// What the server answers; empty where it hangs up.
  private func answer(at port: Int) throws -> String {
    let connection = try RawConnection(port: port)
    connection.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection.read()
  }

  /// On a thread of its own: the tasks of other tests need those of the runtime.
  private func aside<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws
    -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `an idle client is disconnected, and takes no more than its slot`()
    async throws
  {
    let server = try await MetricsServer(port: 0, deadline: 4)
    let port = server.port
    let (refused, ended, answered) = try await aside {
      let idle = try (0..<MetricsServer.maximumConnections).map { _ in
        try RawConnection(port: port)
      }
      usleep(300_000)
      let refused = try answer(at: port)
      // Each idle connection ends by itself.
      let ended = idle.count { $0.isClosed }
      return (refused, ended, try answer(at: port))
    }
    #expect(refused == "" && ended == MetricsServer.maximumConnections)
    #expect(answered.contains("nifty_laion_pairs_total"))
    await server.shutDown()
  }

  private static let requests: [[UInt8]] = [
    "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
      + "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "HEAD /metrics HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nxyz",
  ].map { Array($0.utf8) }

  @Test(.timeLimit(.minutes(20)))
  func `damaged requests do no harm to the server`() async throws {
    let alphabet = Array("0123456789 \r\n\t:/;,-%@*\0\u{7F}aHTP".utf8) + [0x80, 0xFF]
    let inputs = DamagedInputs(Self.requests, alphabet: alphabet)
    let count = ProcessInfo.processInfo.environment["NIFTY_FUZZ"].flatMap { Int($0) } ?? 1000
    let server = try await MetricsServer(port: 0, deadline: 1)
    let port = server.port
    let answered = try await aside {
      for number in 0..<count {
        let connection = try RawConnection(port: port)
        connection.send(inputs.input(number))
        // Some go at once, the others hear a word first.
        if number % 4 != 0 { _ = connection.read(until: " ", within: 0.02) }
      }
      // The last of them keep their slots for a moment.
      usleep(1_500_000)
      return try answer(at: port)
    }
    #expect(answered.contains("nifty_laion_pairs_total"))
    await server.shutDown()
  }
}
