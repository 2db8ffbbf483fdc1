import Foundation
import Synchronization
import TestSupport
import Testing
import Text
import Web

@testable import Laion

/// Status lines, headers, bodies and addresses that no honest server sends end a request, not the
/// program.
@Suite struct AnswerFuzzTests {
  private static func answer(_ head: String, _ body: String = "") -> [UInt8] {
    Array((head.replacing("\n", with: "\r\n") + "\r\n\r\n" + body).utf8)
  }

  private static func fetcher(_ settings: FetchSettings = TestFetcher.settings) -> TestFetcher {
    TestFetcher(settings) { host in
      host == "one.test" ? .success([IPAddress("127.0.0.1")].compactMap { $0 }) : .success([])
    }
  }

  @Test(arguments: [0, 1, 7, 42, 99, 100, 101, 103, 199, 200, 600, 999])
  func `a status of any three digits ends only its request`(status: Int) async throws {
    let line = "HTTP/1.1 \(zeroPadded(status, to: 3)) Odd"
    let server = try RawServer { path in
      path == "/ok"
        ? .ok([1]) : .send(Self.answer("\(line)\nContent-Length: 2\nConnection: close", "ab"))
    }
    defer { server.stop() }
    var settings = TestFetcher.settings
    settings.followsRobots = true
    let bare = Self.fetcher()
    let robots = Self.fetcher(settings)
    let expected: Result<[UInt8], FetchCause> =
      switch status {
      case 200: .success([97, 98])
      case 101, 600, 999: .failure(.status(status))
      default: .failure(.invalidResponse)
      }
    let image = try await bare.body("http://one.test:\(server.port)/a.png")
    // The two bytes behind an announcement are no answer.
    #expect(image == expected)
    // The same as robots.txt, on a connection that may be kept.
    _ = try await robots.body("http://one.test:\(server.port)/ok")
    #expect(try await bare.body("http://one.test:\(server.port)/ok") == .success([1]))
    await bare.shutDown()
    await robots.shutDown()
  }

  @Test func `informational responses are skipped`()
    async throws
  {
    let early = Self.answer("HTTP/1.1 103 Early Hints\nLink: </a>\nContent-Encoding: gzip")
    let final = Self.answer("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: close", "x")
    let server = try RawServer([
      "/three": .send(early + early + early + final),
      "/many": .send((0..<400).flatMap { _ in early } + final),
    ])
    defer { server.stop() }
    let fetcher = Self.fetcher()
    #expect(try await fetcher.body("http://one.test:\(server.port)/three") == .success([120]))
    #expect(try await fetcher.body("http://one.test:\(server.port)/many") == .success([120]))
    await fetcher.shutDown()
  }

  private static let seeds: [[UInt8]] = [
    answer("HTTP/1.1 200 OK\nContent-Length: 5\nConnection: close", "hello"),
    answer("HTTP/1.0 200 OK\nContent-Type: image/png", "hello"),
    answer(
      "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-A",
      "5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX-A: b\r\nX-B:\r\n\r\n"
    ),
    answer("HTTP/1.1 099 Odd\nContent-Length: 2", "ab"),
    answer("HTTP/1.1 100 Continue")
      + answer("HTTP/1.1 103 Early Hints\nLink: </a>")
      + answer("HTTP/1.1 200 OK\nContent-Length: 1", "x"),
    answer("HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade", "xyz"),
    answer("HTTP/1.1 302 Found\nLocation: http://one.test:65536/a\nContent-Length: 0"),
    answer("HTTP/1.1 301 Moved\nLocation: //one.test:1/\nContent-Length: 0"),
    answer("HTTP/1.1 204 No Content\nContent-Length: 5", "hello"),
    answer("HTTP/1.1 304 Not Modified\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
    answer("HTTP/1.1 503 Later\nRetry-After: 99999999999999999999\nContent-Length: 0"),
    answer("HTTP/1.1 429 Slow\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\nContent-Length: 0"),
    answer(
      "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 24\nX-Robots-Tag: a: noai, b:",
      ""
    ) + HostileBytes.gzip(HostileBytes.stored([7]), crc: 1, count: 1),
    answer("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6", "hello"),
    answer(
      "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked",
      "5\r\nhello\r\n0\r\n\r\n"
    ),
    answer("HTTP/1.1 200 OK\nContent-Length: 1", "x")
      + answer("HTTP/1.1 200 OK\nContent-Length: 1", "y"),
  ]

  private static let alphabet =
    Array("0123456789 \r\n\t:/;,-%@[]\"\0\u{7F}aHTP".utf8) + [0x80, 0xFF]

  @Test(.timeLimit(.minutes(20)))
  func `damaged responses fail only their request`() async throws {
    let inputs = DamagedInputs(Self.seeds, alphabet: Self.alphabet)
    let server = try RawServer { path in
      Int(path.dropFirst(2)).map { number in
        path.hasPrefix("/k") ? .keep(inputs.input(number)) : .send(inputs.input(number))
      } ?? .ok([1])
    }
    defer { server.stop() }
    var settings = TestFetcher.settings
    settings.readTimeout = 0.5
    settings.totalTimeout = 1
    settings.concurrencyPerHost = 8
    let fetcher = Self.fetcher(settings)
    let count = ProcessInfo.processInfo.environment["NIFTY_FUZZ"].flatMap { Int($0) } ?? 2000
    let causes = Causes()
    let port = server.port
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        if number >= 4 { try await group.next() }
        group.addTask {
          // Some connections stay open behind the answer, as those do that are used again.
          let path = number % 16 == 15 ? "k" : "a"
          let result = try await fetcher.body("http://one.test:\(port)/\(path)\(number)")
          let name =
            switch result {
            case .success: "ok"
            case .failure(let cause): "\(cause)"
            }
          causes.counts.withLock { $0[name, default: 0] += 1 }
        }
      }
    }
    #expect(try await fetcher.body("http://one.test:\(port)/end") == .success([1]))
    await fetcher.shutDown()
    let seen = causes.counts.withLock { $0 }
    print("answers: \(count) damaged ones ended as \(seen.sorted { $0.value > $1.value })")
    #expect(seen.values.reduce(0, +) == count)
    #expect((seen["invalid response"] ?? 0) > 0 && (seen["ok"] ?? 0) > 0)
  }

  @Test func `damaged addresses are refused or written out so that they mean the same again`() {
    let seeds = [
      "http://one.test/a.png", "https://one.test:443/a?b=c#d", "http://[::1]:65535/",
      "//one.test:1/x",
      "http://user:pw@one.test/", "http://one.test:65536/", "http://1.2.3.4:99999999999/",
      "https://bücher.example/ä%20%zz", "/relative/../path", "?query", "http://[fe80::1%25eth0]/",
    ]
    let alphabet = Array("0123456789:/?#[]@%.-_ \\\t\0é中".utf8)
    let base = WebURL("http://one.test:8080/folder/file?x")
    var parsed = 0
    _ = DamagedInputs(seeds.map { Array($0.utf8) }, alphabet: alphabet).read(20_000) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      for url in [WebURL(text), WebURL(text, ports: .all), base?.resolving(text)].compactMap({ $0 })
      {
        parsed += 1
        #expect(WebURL(url.description, ports: .all) == url)
        #expect((1...65535).contains(url.port))
        // What the client cannot parse it refuses.
        #expect(URL(string: url.description).map { $0.port == url.port } ?? true)
      }
      _ = WebURL.fault(text)
    }
    #expect(parsed > 1000)
  }
}

private final class Causes: Sendable {
  let counts = Mutex<[String: Int]>([:])
}
