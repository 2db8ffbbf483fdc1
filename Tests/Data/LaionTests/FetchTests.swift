import Foundation
import Laion
import TestSupport
import Testing
import Text

/// Every way in which a server can answer, over real sockets.
@Suite struct FetchTests {
  /// Downloads one image from each path; returns the statistics by cause and what is stored.
  private func download(
    _ routes: [String: LoopbackServer.Answer],
    _ paths: [String],
    _ change: @escaping @Sendable (inout LaionConfiguration) -> Void = { _ in },
    _ check: @escaping @Sendable (SplitStatistics, LoopbackServer, String) throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(routes) { server in
        try makeFolder(folder + "/meta")
        let rows = paths.map {
          (url: $0.hasPrefix("/") ? server.url($0) : $0, text: "text of \($0)")
        }
        try writePart(0, in: folder + "/meta", rows)
        var configuration = loopbackConfiguration(folder)
        change(&configuration)
        let report = try await LaionDownload(configuration).run()
        try check(try #require(report.splits.first), server, folder + "/out/split0")
      }
    }
  }

  @Test func `a good image is stored as it was sent`() async throws {
    let image = try samplePNG(7)
    try await download(["/a": .bytes(image)], ["/a"]) { statistics, server, folder in
      #expect(statistics.pairs == 1)
      #expect(statistics.failures.isEmpty)
      #expect(statistics.bytesDownloaded == image.count)
      let stored = try pairs(in: folder)
      #expect(stored == ["0.png": Data(image), "0.txt": Data("text of /a".utf8)])
      let agent = server.lastHeader("User-Agent", of: "/a")
      #expect(agent?.hasPrefix("nifty/\(Version.number) (") == true)
    }
  }

  @Test func `failures are counted by cause and nothing is stored`() async throws {
    let image = try samplePNG(1)
    let routes: [String: LoopbackServer.Answer] = [
      "/gone": .status(410),
      "/empty": .bytes([]),
      "/html": .bytes(Array("<html>not found</html>".utf8)),
      "/gif": .bytes(Array("GIF89a".utf8) + [UInt8](repeating: 0, count: 100)),
      "/half": .bytes(Array(image.prefix(image.count / 2))),
      "/tiny": .bytes(try samplePNG(1, side: 31)),
      "/optout": .bytes(image, headers: ["X-Robots-Tag": "noai"]),
      "/robots": .bytes(image, headers: ["X-Robots-Tag": "noindex"]),
      "/loop": .redirect("/loop"),
      "/nowhere": .redirect("ftp://example.com/"),
    ]
    let paths = routes.keys.sorted() + ["/missing", "not an address", "http://user@127.0.0.1:1/"]
    try await download(routes, paths) { statistics, server, folder in
      #expect(
        statistics.failures == [
          "HTTP 410": 1, "HTTP 404": 1, "empty": 1, "not an image": 1, "corrupt image": 1,
          "truncated image": 1,
          "too small": 1, "opted out": 1, "too many redirects": 1, "invalid redirect": 1,
          "invalid URL": 2,
        ]
      )
      #expect(statistics.pairs == 1)
      let stored = try pairs(in: folder)
      #expect(stored.keys.sorted() == ["0.png", "0.txt"])
      // None of these is worth a second request.
      #expect(server.count("/gone") == 1)
      #expect(server.count("/loop") == 6)
    }
  }

  @Test func `a body beyond the limit is not read to its end`() async throws {
    let routes: [String: LoopbackServer.Answer] = [
      "/endless": .endless,
      "/large": .bytes([UInt8](repeating: 0, count: 300_000)),
    ]
    try await download(
      routes,
      ["/endless", "/large"],
      { $0.fetch.maximumBytes = 200_000 },
      { statistics, _, _ in
        #expect(statistics.failures == ["too many bytes": 2])
      }
    )
  }

  @Test func `slow servers cannot hold a row longer than its deadline`() async throws {
    let image = try samplePNG(1)
    let routes: [String: LoopbackServer.Answer] = [
      "/drip": .drip(image, every: .milliseconds(50)),
      "/silent": .delayed(.seconds(20), .bytes(image)),
    ]
    try await download(
      routes,
      ["/drip", "/silent"],
      {
        $0.fetch.totalTimeout = 0.6
        $0.fetch.readTimeout = 0.4
        $0.fetch.attempts = 1
      },
      { statistics, _, _ in
        #expect(statistics.failures == ["timed out": 2])
        // Of the download alone: the server's own start may take long on a busy machine.
        #expect(statistics.seconds < 8)
      }
    )
  }

  @Test func `a broken connection is retried`() async throws {
    let image = try samplePNG(3)
    let routes: [String: LoopbackServer.Answer] = [
      "/flaky": .sequence([.cut([1, 2, 3], claimed: 500), .status(503), .bytes(image)]),
      "/broken": .cut(Array(image.prefix(50)), claimed: 500),
      "/busy": .sequence([.status(429, headers: ["Retry-After": "0"]), .bytes(image)]),
    ]
    try await download(routes, ["/flaky", "/broken", "/busy"]) { statistics, server, folder in
      #expect(statistics.pairs == 2)
      #expect(statistics.failures == ["connection lost": 1])
      #expect(server.count("/flaky") == 3)
      #expect(server.count("/broken") == 3)
      #expect(server.count("/busy") == 2)
      let stored = try pairs(in: folder)
      #expect(stored["1.txt"] == Data("text of /busy".utf8))
    }
  }

  @Test func `connection refused is a failure`() async throws {
    try await download(
      [:],
      ["http://127.0.0.1:1025/a"],
      { $0.fetch.attempts = 1 },
      { statistics, _, _ in
        #expect(statistics.failures == ["connection failed": 1])
      }
    )
  }

  @Test func `redirects are followed, each to a checked host`() async throws {
    let image = try samplePNG(5)
    let routes: [String: LoopbackServer.Answer] = [
      "/a": .redirect("b?c=d", status: 301), "/b": .redirect("/c", status: 308),
      "/c": .bytes(image),
    ]
    try await download(routes, ["/a"]) { statistics, server, _ in
      #expect(statistics.pairs == 1)
      #expect(server.count("/c") == 1)
    }
  }

  @Test func `private addresses are not requested unless allowed`() async throws {
    let image = try samplePNG(5)
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(["/a": .bytes(image)]) { server in
        try makeFolder(folder + "/meta")
        // Names, other spellings of 127.0.0.1, and what carries it inside.
        let hosts = [
          "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]",
          "[::ffff:127.0.0.1]", "0.0.0.0",
        ]
        let rows = hosts.map { (url: "http://\($0):\(server.port)/a", text: "text") }
        try writePart(0, in: folder + "/meta", rows)
        var configuration = loopbackConfiguration(folder)
        configuration.fetch.allowPrivateAddresses = false
        let report = try await LaionDownload(configuration).run()
        #expect(report.splits.first?.failures == ["blocked address": hosts.count])
        #expect(server.totalCount == 0)
      }
    }
  }

  @Test func `a name is pinned to the address that was checked`() async throws {
    let image = try samplePNG(5)
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(["/a": .bytes(image)]) { server in
        try makeFolder(folder + "/meta")
        let rows = [(url: "http://localhost:\(server.port)/a", text: "text")]
        try writePart(0, in: folder + "/meta", rows)
        let report = try await LaionDownload(loopbackConfiguration(folder)).run()
        #expect(report.pairs == 1)
        #expect(server.lastHeader("Host", of: "/a") == "localhost:\(server.port)")
      }
    }
  }

  @Test(arguments: [(3, 12), (12, 2)]) func `requests in flight are bounded per host and in all`(
    perHost: Int,
    inAll: Int
  ) async throws {
    var routes: [String: LoopbackServer.Answer] = [:]
    // Long enough that a busy machine still starts the next request before an answer.
    for i in 0..<12 { routes["/\(i)"] = .delayed(.milliseconds(250), .bytes(try samplePNG(i))) }
    try await download(
      routes,
      (0..<12).map { "/\($0)" },
      { ($0.fetch.concurrencyPerHost, $0.fetch.concurrency) = (perHost, inAll) },
      { statistics, server, _ in
        #expect(statistics.pairs == 12)
        #expect(server.peakConcurrency == min(perHost, inAll))
      }
    )
  }

  @Test func `images are stored at the size asked for`() async throws {
    let image = try samplePNG(9, side: 100)
    try await download(
      ["/a": .bytes(image)],
      ["/a"],
      { $0.image.size = 48 },
      { _, _, folder in
        let stored = try pairs(in: folder)["0.png"]
        let expected = Data(try samplePNG(9, side: 48))
        #expect(stored == expected)
      }
    )
  }
}
