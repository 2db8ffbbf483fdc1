import Foundation
import Laion
import TestSupport
import Testing

@Suite struct RobotsRulesTests {
  private func allows(_ file: String, _ path: String) -> Bool {
    RobotsRules(Array(file.utf8), agent: "nifty").allow(path)
  }

  @Test(arguments: [
    ("", "/a", true),
    ("User-agent: *\nDisallow: /", "/a", false),
    ("User-agent: *\nDisallow:", "/a", true),
    ("user-AGENT : *\r\nDISALLOW:/private # not for robots\r\n", "/private/a", false),
    ("User-agent: *\nDisallow: /private", "/public", true),
    // The longest rule decides, and Allow between equals (RFC 9309, section 2.2.2).
    ("User-agent: *\nDisallow: /\nAllow: /images/", "/images/a.jpg", true),
    ("User-agent: *\nAllow: /images/\nDisallow: /images/secret", "/images/secret.jpg", false),
    ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", true),
    // Our own group alone counts where there is one, wherever it stands.
    ("User-agent: *\nDisallow: /\nUser-agent: nifty\nDisallow: /x", "/a", true),
    ("User-agent: nifty\nDisallow: /x\n\nUser-agent: *\nDisallow: /", "/x", false),
    ("User-agent: Nifty/0.1\nDisallow: /", "/a", false),
    ("User-agent: niftybot\nDisallow: /", "/a", true),
    // Several names share a group; two groups of one name are one.
    ("User-agent: other\nUser-agent: nifty\nDisallow: /a", "/a", false),
    (
      "User-agent: nifty\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: nifty\nDisallow: /b",
      "/b", false
    ),
    ("User-agent: nifty\nDisallow: /a\nUser-agent: x\nDisallow: /", "/c", true),
    // Stars, ends, queries, other letters.
    ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif", false),
    ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif?c", true),
    ("User-agent: *\nDisallow: *ab*cd", "/xabxabxcd", false),
    ("User-agent: *\nDisallow: /*?size=", "/a?size=2", false),
    ("User-agent: *\nDisallow: /ü", "/%C3%BC", false),
    // One path has many spellings, and a server undoes them all.
    ("User-agent: *\nDisallow: /private", "/%70rivate/a", false),
    ("User-agent: *\nDisallow: /priv%61te", "/private/a", false),
    ("User-agent: *\nDisallow: /a%2fb", "/a%2Fb", false),
    ("User-agent: *\nDisallow: /a/b", "/a%2Fb", true),
    ("User-agent: *\nDisallow: /private", "/public/../private/a", false),
    ("User-agent: *\nDisallow: /private", "/public/%2e%2E/./private/a", false),
    ("User-agent: *\nDisallow: /private", "/private/../a", true),
    ("User-agent: *\nDisallow: /a/$", "/a/b/..", false),
    ("User-agent: *\nDisallow: /a", "/../../a", false),
    ("User-agent: *\nDisallow: /b", "/a?x=/../b", true),
    ("User-agent: *\nDisallow: /", "/robots.txt", true),
    // What does not belong there is passed over.
    ("<html>\n<p>Disallow: /</p>", "/a", true),
    ("Disallow: /", "/a", true),
    ("Sitemap: /x\nUser-agent: *\nCrawl-delay: 5\nDisallow: /a", "/a", false),
    ("\u{FEFF}User-agent: *\nDisallow: /a", "/a", false),
  ])
  func `a path is allowed or not`(file: String, path: String, isAllowed: Bool) {
    #expect(allows(file, path) == isAllowed)
  }

  @Test func `a hostile robots.txt is parsed in bounded time`() {
    let pattern = "/" + String(repeating: "*a", count: 240) + "b"
    let file = "User-agent: *\n" + String(repeating: "Disallow: \(pattern)\n", count: 500)
    let start = ContinuousClock.now
    #expect(allows(file, "/" + String(repeating: "a", count: 1000)))
    #expect(start.duration(to: .now) < .seconds(20))
    #expect(RobotsRules([UInt8](repeating: 0xFF, count: 1 << 16), agent: "nifty").allow("/"))
  }
}

@Suite struct RobotsTests {
  /// Downloads the images at `paths`; returns what became of each, and the server that saw it.
  private func download(
    _ robots: LoopbackServer.Answer?,
    _ paths: [String],
    _ change: @escaping @Sendable (inout LaionConfiguration) -> Void = { _ in },
    _ check: @escaping @Sendable ([String], LoopbackServer) throws -> Void
  ) async throws {
    let image = try samplePNG(1)
    var routes = Dictionary(
      uniqueKeysWithValues: paths.map { ($0, LoopbackServer.Answer.bytes(image)) }
    )
    routes["/robots.txt"] = robots
    routes["/moved"] = .bytes(Array("User-agent: *\nDisallow: /b".utf8))
    let all = routes
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(all) { server in
        try makeFolder(folder + "/meta")
        try writePart(0, in: folder + "/meta", paths.map { (url: server.url($0), text: "x") })
        var configuration = loopbackConfiguration(folder)
        configuration.fetch.followsRobots = true
        change(&configuration)
        _ = try await LaionDownload(configuration).run()
        try check(try statuses(in: folder + "/out/split0"), server)
      }
    }
  }

  private static let closed = LoopbackServer.Answer.bytes(Array("User-agent: *\nDisallow: /b".utf8))

  @Test func `robots.txt is fetched once per site and obeyed`() async throws {
    try await download(Self.closed, ["/a", "/b", "/bb", "/c"]) { statuses, server in
      #expect(statuses == ["ok", "disallowed by robots.txt", "disallowed by robots.txt", "ok"])
      #expect(server.count("/robots.txt") == 1)
      #expect(server.count("/b") == 0)
    }
  }

  @Test func `with robots.txt ignored none is fetched`() async throws {
    try await download(
      Self.closed,
      ["/b"],
      { $0.fetch.followsRobots = false },
      { statuses, server in
        #expect(statuses == ["ok"])
        #expect(server.count("/robots.txt") == 0)
      }
    )
  }

  @Test func `redirected rules hold, missing rules allow, failing ones forbid`() async throws {
    try await download(.redirect("/moved"), ["/a", "/b"]) { statuses, _ in
      #expect(statuses == ["ok", "disallowed by robots.txt"])
    }
    try await download(.status(404), ["/a"]) { statuses, _ in #expect(statuses == ["ok"]) }
    try await download(.redirect("/robots.txt"), ["/a"]) { statuses, _ in
      #expect(statuses == ["ok"])
    }
    try await download(.status(503), ["/a"]) { statuses, server in
      #expect(statuses == ["robots.txt unavailable"])
      #expect(server.count("/robots.txt") == 3)
      #expect(server.count("/a") == 0)
    }
    try await download(.sequence([.status(503), Self.closed]), ["/a"]) { statuses, _ in
      #expect(statuses == ["ok"])
    }
  }

  @Test func `an endless robots.txt is read up to its limit`() async throws {
    try await download(.endless, ["/a"]) { statuses, _ in #expect(statuses == ["ok"]) }
  }

  @Test func `requests to a host do not exceed its rate`() async throws {
    let start = ContinuousClock.now
    let paths = (0..<9).map { "/\($0)" }
    try await download(
      nil,
      paths,
      {
        $0.fetch.followsRobots = false
        $0.fetch.requestsPerSecondPerHost = 20
      },
      { statuses, _ in
        #expect(statuses.count == 9 && statuses.allSatisfy { $0 == "ok" })
      }
    )
    // Eight pauses of a twentieth of a second.
    #expect(start.duration(to: .now) >= .milliseconds(400))
  }
}
