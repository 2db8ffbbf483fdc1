import Foundation
import TestSupport
import Testing

@testable import Laion

/// Hosts that never answer cost a split minutes, not days.
@Suite("Silent hosts", .timeLimit(.minutes(1)))
struct SilentHostsTests {
  private let start = ContinuousClock.now

  private func after(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test func `a host is paused after consecutive timeouts and then probed by one row`() {
    let hosts = SilentHosts(limit: 3, pause: .seconds(60))
    for turn in 0..<3 {
      #expect(!hosts.skips("a", now: after(turn)))
      hosts.note("a", timedOut: true, began: after(turn), now: after(turn + 1))
    }
    #expect(hosts.skips("a", now: after(4)))
    #expect(!hosts.skips("b", now: after(4)))
    // One row is let through after the pause, the others wait for what it finds.
    #expect(!hosts.skips("a", now: after(64)))
    #expect(hosts.skips("a", now: after(64)))
    hosts.note("a", timedOut: true, began: after(64), now: after(70))
    #expect(hosts.skips("a", now: after(100)))
    #expect(!hosts.skips("a", now: after(131)))
    hosts.note("a", timedOut: false, began: after(131), now: after(132))
    #expect(!hosts.skips("a", now: after(132)))
  }

  @Test func `any response resets the count, and simultaneous timeouts count once`() {
    let hosts = SilentHosts(limit: 2, pause: .seconds(60))
    for _ in 0..<8 { hosts.note("a", timedOut: true, began: start, now: after(30)) }
    #expect(!hosts.skips("a", now: after(30)))
    hosts.note("a", timedOut: false, began: after(30), now: after(31))
    hosts.note("a", timedOut: true, began: after(31), now: after(61))
    #expect(!hosts.skips("a", now: after(61)))
    hosts.note("a", timedOut: true, began: after(61), now: after(91))
    #expect(hosts.skips("a", now: after(91)))
  }

  @Test func `a split of rows that never end is done in a few deadlines`() async throws {
    let server = try RawServer(["/slow": .hang([])])
    defer { server.stop() }
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let rows = (0..<60).map { (url: server.url("/slow") as String?, text: "\($0)" as String?) }
      try writePart(0, in: folder + "/meta", rows)
      var configuration = loopbackConfiguration(folder)
      configuration.filter.dropsDuplicates = false
      configuration.fetch.totalTimeout = 0.3
      configuration.fetch.attempts = 1
      configuration.fetch.concurrencyPerHost = 2
      let silence = "host timed out before"
      let failures = try #require(
        try await LaionDownload(configuration).run().splits.first?.failures
      )
      #expect(Set(failures.keys) == ["timed out", silence])
      // Three rounds of two slots; a busy machine may begin a fourth.
      #expect((3...12).contains(failures["timed out"] ?? 0), "\(failures)")
      #expect(failures.values.reduce(0, +) == 60)
      // A retry pass requests them again.
      configuration.retriesFailures = true
      let requests = server.totalCount
      _ = try await LaionDownload(configuration).run()
      #expect(server.totalCount > requests)
    }
  }

  @Test func `a redirect to the deny list is not followed, and has its own cause`() async throws {
    let image = try samplePNG(1)
    let target = try RawServer(["/denied": .ok(image), "/fine": .ok(image)])
    defer { target.stop() }
    let routes = ["/denied", "/fine"].map { path -> (String, RawServer.Script) in
      let head = "HTTP/1.1 302 Found\r\nLocation: \(target.url(path))\r\nContent-Length: 0\r\n"
      return (path, .send(Array((head + "Connection: close\r\n\r\n").utf8)))
    }
    let server = try RawServer(Dictionary(uniqueKeysWithValues: routes))
    defer { server.stop() }
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let rows = ["/denied", "/fine"].map {
        (url: server.url($0) as String?, text: $0 as String?)
      }
      try writePart(0, in: folder + "/meta", rows)
      var configuration = loopbackConfiguration(folder)
      configuration.denyList = folder + "/deny.txt"
      try "\(target.url("/denied"))\n".write(
        toFile: folder + "/deny.txt",
        atomically: true,
        encoding: .utf8
      )
      let report = try await LaionDownload(configuration).run()
      #expect(report.splits.first?.failures == ["redirected to the deny list": 1])
      #expect(report.pairs == 1)
      #expect(target.totalCount == 1)
    }
  }
}
