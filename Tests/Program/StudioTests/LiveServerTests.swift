import Dispatch
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Studio

@Suite("The server on a socket", .serialized, .timeLimit(.minutes(3)))
struct LiveServerTests {
  private static let model = ModelAbout(
    name: "slow",
    network: "0",
    clip: "0",
    resolution: 16,
    imagesSeen: 0,
    layers: 4
  )

  private func post(_ body: String, _ more: String = "") -> String {
    "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
  }

  @Test func `a disconnected client's request is not painted`() async throws {
    let permits = DispatchSemaphore(value: 0)
    let begun = Mutex(0)
    let painted = Mutex(0)
    let painting = StudioRoutes.Painting()
    try await painting.open {
      (
        (),
        { request in
          begun.withLock { $0 += 1 }
          permits.wait()
          painted.withLock { $0 += 1 }
          throw RequestError("painted \(request.prompt)")
        }
      )
    }
    let routes = StudioRoutes(
      model: Self.model,
      painting: painting,
      runs: nil,
      access: Access(host: "127.0.0.1")
    )
    try await serving(routes) { port in
      let staying = try RawConnection(port: port)
      staying.send(post(#"{"prompt": "stays"}"#))
      // It is at the painter, so that what waits from now on is the other.
      while begun.withLock({ $0 }) < 1 { await Task.yield() }
      do {
        let going = try RawConnection(port: port)
        going.send(post(#"{"prompt": "goes"}"#))
        while painting.counts.waiting < 1 { await Task.yield() }
        withExtendedLifetime(going) {}
      }
      while painting.counts.waiting > 0 { await Task.yield() }
      permits.signal()
      permits.signal()
      #expect(await staying.received(until: "stays").contains("painted stays"))
      #expect(painted.withLock { $0 } == 1)
    }
    painting.close()
  }

  @Test func `a port that is taken is one line`() async throws {
    let routes = try await Emoji.routes()
    try await serving(routes) { port in
      let error = await #expect(throws: StudioError.self) {
        try await routes.serve(with: .init(host: "127.0.0.1", port: port)) { _ in }
      }
      #expect(error?.description.contains("port \(port) of 127.0.0.1 is in use") == true)
      #expect(error?.description.contains("--port 0") == true)
      // This process has it.
      #expect(error?.description.contains("(process \(getpid()))") == true, "\(error)")
    }
  }

  @Test func `hostile requests get an answer or are closed, and a picture still comes`()
    async throws
  {
    let routes = try await Emoji.routes()
    try await serving(routes, seconds: 1) { port in
      let head = "GET / HTTP/1.1\r\nHost: localhost\r\n"
      let cases: [(String, [String])] = [
        ("GET / HTTP/1.1\r\n\r\n", ["400", "421"]),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", ["421"]),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", ["200", "400", "421"]),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", ["404"]),
        ("GET /%2e%2e%2fetc HTTP/1.1\r\nHost: localhost\r\n\r\n", ["404"]),
        ("GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", ["400", "404"]),
        ("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", ["400", "404", "405"]),
        ("DELETE /api/paint HTTP/1.1\r\nHost: localhost\r\n\r\n", ["405"]),
        ("nonsense\r\n\r\n", ["400"]), ("\u{16}\u{3}\u{1}", ["400"]),
        (head + "X: " + String(repeating: "a", count: 100_000) + "\r\n\r\n", ["400", "431"]),
        (head + String(repeating: "X: a\r\n", count: 5000) + "\r\n", ["400", "431"]),
        (head + "Content-Length: -1\r\n\r\n", ["400"]),
        (
          head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["200", "400"]
        ),
        (post("{}", "Origin: http://evil.example\r\n"), ["403"]),
        (post("{}", "Sec-Fetch-Site: cross-site\r\n"), ["403"]),
        (post(String(repeating: "[", count: 60_000)), ["400"]),
        (
          "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: 99999999999\r\n\r\n", ["413"]
        ),
        (
          "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n", ["400"]
        ),
      ]
      for (request, statuses) in cases {
        let connection = try RawConnection(port: port)
        connection.send(request)
        let answer = await connection.received(until: "\r\n\r\n")
        let status = answer.split(separator: " ").dropFirst().first.map(String.init) ?? "closed"
        #expect(
          status == "closed" || statuses.contains(status),
          "\(request.prefix(80)): \(answer.prefix(200))"
        )
      }
      let fine = try RawConnection(port: port)
      fine.send(post(#"{"prompt": "sun"}"#))
      #expect(await fine.received(until: "IEND").hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func `a connection that asks for nothing is closed after a while`() async throws {
    let routes = try await Emoji.routes()
    try await serving(routes, seconds: 1) { port in
      let silent = try RawConnection(port: port)
      silent.send("GET / HTTP/1.1\r\nHost: local")
      let answer = await silent.received()
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"))
    }
  }

  @Test func `idle and half-open connections are closed at once to serve a new request`()
    async throws
  {
    let routes = try await Emoji.routes()
    try await serving(routes, connections: 8, seconds: 60) { port in
      let silent = try (0..<20).map { _ in try RawConnection(port: port) }
      for (index, connection) in silent.enumerated() where index % 2 == 0 {
        connection.send("GET / HTTP/1.1\r\nHost: local")
      }
      let late = try RawConnection(port: port)
      late.send(post(#"{"prompt": "sun"}"#))
      #expect(await late.received(until: "IEND").hasPrefix("HTTP/1.1 200"))
      for connection in silent.prefix(12) {
        let answer = await connection.received()
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"))
      }
    }
  }

  /// Descriptors of both ends of a thousand connections, and of what else the tests have open.
  private static let hasDescriptors: Bool = {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 4096))
    return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
      && limit.rlim_cur >= 4096
  }()

  @Test(.enabled(if: hasDescriptors, "takes 4,096 file descriptors (ulimit -n)"))
  func `a thousand connections at once, and one that never reads, leave room for a picture`()
    async throws
  {
    let routes = try await Emoji.routes()
    try await serving(routes, seconds: 20) { port in
      let deaf = try RawConnection(port: port)
      for _ in 0..<50 { deaf.send(post(#"{"prompt": "sun", "seed": 1}"#)) }
      var crowd: [RawConnection] = []
      for number in 0..<1000 {
        let connection = try RawConnection(port: port)
        // Nothing, half a request, or a whole one.
        if number % 3 == 1 { connection.send("POST /api/paint HTTP/1.1\r\nHost: local") }
        if number % 3 == 2 { connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") }
        crowd.append(connection)
      }
      let clock = ContinuousClock()
      let start = clock.now
      let late = try RawConnection(port: port)
      late.send(post(#"{"prompt": "tree"}"#))
      #expect(await late.received(until: "IEND").hasPrefix("HTTP/1.1 200"))
      // Within a second on a machine of its own; the tests share theirs.
      #expect(clock.now - start < .seconds(10))
      withExtendedLifetime((deaf, crowd)) {}
    }
  }

  @Test func `a connection has a moment to send its request, however many come after it`()
    async throws
  {
    let routes = try await Emoji.routes()
    try await serving(routes, connections: 4, seconds: 60) { port in
      let early = try RawConnection(port: port)
      // Below the number at which none is accepted any more.
      let silent = try (0..<6).map { _ in try RawConnection(port: port) }
      try await Task.sleep(for: .milliseconds(20))
      early.send(post(#"{"prompt": "sun"}"#))
      #expect(await early.received(until: "IEND").hasPrefix("HTTP/1.1 200"))
      withExtendedLifetime(silent) {}
    }
  }

  @Test func `only so many pages watch at a time, and one that goes makes room`() async throws {
    let folder = try TemporaryFolder()
    let routes = try await Emoji.routes(runs: folder.path)
    try await serving(routes) { port in
      let request = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
      var pages: [RawConnection] = []
      for _ in 0..<32 {
        let page = try RawConnection(port: port)
        page.send(request)
        #expect(await page.received(until: "event: runs").contains("event: runs"))
        pages.append(page)
      }
      let extra = try RawConnection(port: port)
      extra.send(request)
      #expect(await extra.received(until: "close some").contains("too many pages"))
      // Only asked about: nobody listens.
      let head = try RawConnection(port: port)
      head.send("HEAD /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await head.received(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
      pages.removeLast()
      for attempt in 1... {
        let next = try RawConnection(port: port)
        next.send(request)
        if await next.received(until: "data: ").contains("event: runs") { break }
        try #require(attempt < 100, "no room")
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  @Test func `a body that never arrives ends with 408 or a closed connection`() async throws {
    let routes = try await Emoji.routes()
    try await serving(routes, seconds: 60) { port in
      let connection = try RawConnection(port: port)
      connection.send(
        "POST /api/paint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Content-Length: 50\r\n\r\n{"
      )
      let answer = await connection.received(until: "in time")
      #expect(answer.hasPrefix("HTTP/1.1 408") || answer.isEmpty, "\(answer)")
    }
  }

  @Test func `a growing run is pushed to the page`() async throws {
    let folder = try TemporaryFolder()
    try folder.write(
      Array(RunsTests.line(tick: 1, kimg: 1, loss: "1").utf8),
      to: "00000-a/stats.jsonl"
    )
    let routes = try await Emoji.routes(runs: folder.path)
    try await serving(routes) { port in
      let page = try RawConnection(port: port)
      page.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await page.received(until: "\"kimg\": 1.0").contains("text/event-stream"))
      try folder.write(
        Array(RunsTests.line(tick: 2, kimg: 2, loss: "1").utf8),
        to: "00000-a/stats.jsonl"
      )
      #expect(await page.received(until: "\"kimg\": 2.0").contains("event: runs"))
      folder.remove()
      #expect(await page.received(until: "event: trouble").contains("cannot list folder"))
    }
  }
}
