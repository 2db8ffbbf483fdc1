import Foundation
import Glibc
import Images
import Laion
import TestSupport
import Testing

/// A row whose image ends the process.
@Suite struct CrashingRowTests {
  private static let (count, bad) = (12, 5)
  private static let name = "worker crashed"

  /// Rows of a server, but one, whose image has a server of its own.
  private func withRows(
    bad script: RawServer.Script,
    _ body: (LaionConfiguration, _ bad: RawServer) async throws -> Void
  ) async throws {
    var routes: [String: RawServer.Script] = [:]
    for i in 0..<Self.count { routes["/\(i)"] = .ok(try samplePNG(i)) }
    let (good, bad) = (try RawServer(routes), try RawServer(["/": script]))
    defer {
      good.stop()
      bad.stop()
    }
    let folder = try TemporaryFolder.inMemory()
    try makeFolder(folder.file("meta"))
    let rows: [(url: String?, text: String?)] = (0..<Self.count).map { i in
      (i == Self.bad ? bad.url("/") : good.url("/\(i)"), "row \(i)")
    }
    try writePart(0, in: folder.file("meta"), rows)
    try await body(loopbackConfiguration(folder.path), bad)
  }

  private func complaints(_ configuration: LaionConfiguration) throws -> [String] {
    try LaionVerification(output: configuration.output).run().flatMap(\.complaints)
  }

  @Test func `an image that ended two runs is left out by the third, and nothing else`()
    async throws
  {
    // 168 MB of pixels, whose middle square is copied next. Too little memory for the pixels is counted, so
    // the process below loses its room once it has them.
    let large = try RGBImage(width: 8000, height: 7000, filledWith: .white).encodedPNG(level: 1)
    try await withRows(bad: .delayed(1_000_000, .ok(large))) { configuration, bad in
      var configuration = configuration
      configuration.image.size = 16
      for _ in 0..<2 {
        await #expect(processExitsWith: .signal(SIGABRT)) {
          [configuration = configuration as LaionConfiguration] in
          Thread.detachNewThread {
            // When all threads have started.
            usleep(500_000)
            let start = mappedBytes()
            // More is asked for a moment, to see whether it is there.
            while !((150 << 20)...(250 << 20)).contains(mappedBytes() - start) { usleep(1000) }
            var limit = rlimit(rlim_cur: rlim_t(mappedBytes() + (64 << 20)), rlim_max: .max)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
          }
          _ = try await LaionDownload(configuration).run()
        }
      }
      let asked = bad.totalCount
      #expect(asked >= 2)
      let report = try await LaionDownload(configuration).run()
      #expect(report.pairs == Self.count - 1)
      #expect(report.splits.first?.failures == [Self.name: 1])
      #expect(bad.totalCount == asked)
      #expect(try complaints(configuration).isEmpty)
      let log = configuration.output + "/split0/.crashes"
      #expect(!FileManager.default.fileExists(atPath: log))
      // Not even when transient failures are retried.
      var again = configuration
      again.retriesFailures = true
      let pairs = try await LaionDownload(again).run().pairs
      #expect(pairs == Self.count - 1)
      #expect(bad.totalCount == asked)
    }
  }

  @Test(arguments: [(lines: 1, pairs: 12), (2, 11), (3, 11)])
  func `one crash is tried again, two are the end of it`(lines: Int, pairs: Int) async throws {
    try await withRows(bad: .ok(samplePNG(Self.bad))) { configuration, bad in
      let folder = configuration.output + "/split0"
      try makeFolder(folder)
      let text = String(repeating: "\(Self.bad)\n", count: lines)
      try text.write(toFile: folder + "/.crashes", atomically: true, encoding: .utf8)
      let report = try await LaionDownload(configuration).run()
      #expect(report.pairs == pairs)
      #expect(report.splits.first?.failures[Self.name] ?? 0 == 12 - pairs)
      #expect((bad.totalCount > 0) == (pairs == 12))
      #expect(try complaints(configuration).isEmpty)
    }
  }
}

/// The address space of this process, in bytes.
private func mappedBytes() -> Int {
  let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  return 4096 * (text?.split(separator: " ").first.flatMap { Int($0) } ?? 0)
}
