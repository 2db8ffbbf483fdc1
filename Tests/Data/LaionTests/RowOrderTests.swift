import Foundation
import Images
import Parquet
import Synchronization
import TestSupport
import Testing

@testable import Laion

/// Rows are requested in their order, and what is finished is on the disk soon.
@Suite("Row order", .timeLimit(.minutes(2))) struct RowOrderTests {
  private final class Asked: Sendable {
    let order = Mutex<[Int]>([])
  }

  /// A server that takes a while for each image, and metadata of its rows.
  private static func withRows(
    _ count: Int,
    answer: @escaping @Sendable (Int) -> RawServer.Script,
    _ body: (LaionConfiguration, Asked) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let asked = Asked()
      let server = try RawServer { path in
        guard let row = Int(path.dropFirst(3)) else { return .status(404) }
        asked.order.withLock { $0.append(row) }
        return answer(row)
      }
      defer { server.stop() }
      let metadata =
        "URL,TEXT\n" + (0..<count).map { "\(server.url("/i/\($0)")),row \($0)\n" }.joined()
      try Data(metadata.utf8).write(to: URL(filePath: folder + "/part-0.csv"))
      var configuration = LaionConfiguration(metadata: folder, output: folder + "/out")
      configuration.fetch.allowPrivateAddresses = true
      configuration.fetch.retryDelay = 0.1
      try await body(configuration, asked)
    }
  }

  private static func pairs(_ configuration: LaionConfiguration) -> Int {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: configuration.output + "/split0"
    )
    return names?.count { $0.hasSuffix(".png") } ?? 0
  }

  @Test func `rows of one host are requested in order`() async throws {
    let image = try samplePNG(1)
    try await Self.withRows(
      600,
      answer: { _ in .delayed(2000, .ok(image)) },
      { settings, asked in
        var settings = settings
        settings.image.dropsDuplicates = false
        let report = try await LaionDownload(settings).run()
        #expect(report.pairs == 600)
        let order = asked.order.withLock { $0 }
        // The requests of one moment may overtake each other, and no others.
        let displaced = order.enumerated().map { abs($0.offset - $0.element) }.max() ?? .max
        #expect(order.count == 600 && displaced < 64, "\(displaced): \(order.prefix(20))")
      }
    )
  }

  @Test func `pairs are on the disk while a later row takes long`() async throws {
    let image = try samplePNG(1)
    try await Self.withRows(
      40,
      answer: { $0 == 39 ? .delayed(30_000_000, .ok(image)) : .ok(image) },
      { settings, asked in
        var settings = settings
        settings.image.dropsDuplicates = false
        settings.fetch.readTimeout = 60
        settings.fetch.totalTimeout = 60
        let final = settings
        let download = Task { try await LaionDownload(final).run() }
        // Until the last row is answered at the earliest.
        let start = ContinuousClock.now
        while Self.pairs(settings) < 39, start.duration(to: .now) < .seconds(25) {
          try await Task.sleep(for: .milliseconds(50))
        }
        #expect(Self.pairs(settings) == 39)
        download.cancel()
        await #expect(throws: LaionError.cancelled) { try await download.value }
      }
    )
  }

  @Test func `the time left counts what waits for a slow row`() {
    var tally = Tally(
      part: MetadataPart(number: 0, path: "part-0.parquet"),
      target: 1_000_000,
      rowCount: 1500,
      done: .init()
    )
    tally.add(.init(row: 0, number: nil, outcome: .failure(.empty)))
    usleep(50_000)
    let alone = tally.progress()
    let ahead = tally.progress(ahead: (rows: 1400, pairs: 1400))
    #expect((alone.secondsLeft ?? 0) > 60)
    #expect((ahead.secondsLeft ?? .infinity) < 0.1 && ahead.imagesPerSecond > 1000)
  }
}
