import Foundation
import Laion
import TestSupport
import Testing

/// What a later run makes of a split that is finished.
@Suite struct FinishedSplitTests {
  @Test(arguments: 0..<4)
  func `a finished split refuses other settings and other metadata`(change: Int) async throws {
    try await MixedRows.withMetadata { configuration, server in
      var configuration = configuration
      configuration.perSplit = 5
      _ = try await LaionDownload(configuration).run()
      let requests = server.totalCount
      switch change {
      case 0: configuration.image.size = 32
      case 1: configuration.filter.minimumCaptionLength = 3
      case 2:
        let list = configuration.metadata + "/deny.txt"
        try "denied.example\n".write(toFile: list, atomically: true, encoding: .utf8)
        configuration.denyList = list
      default:
        // As many rows as before, of another crawl.
        let rows = (0..<MixedRows.count).map { (url: server.url("/\($0)"), text: "other \($0)") }
        try writePart(0, in: configuration.metadata, rows)
      }
      let changed = configuration
      let folder = configuration.output + "/split0"
      await #expect(throws: LaionError.differentSettings(folder: folder)) {
        try await LaionDownload(changed).run()
      }
      #expect(server.totalCount == requests)
      #expect(SplitStatistics.read(folder + "/stats.json") != nil)
    }
  }

  @Test func `statistics with impossible counts are ignored`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      var configuration = configuration
      configuration.perSplit = 5
      _ = try await LaionDownload(configuration).run()
      let path = configuration.output + "/split0/stats.json"
      let good = try #require(SplitStatistics.read(path))
      let text = try String(contentsOfFile: path, encoding: .utf8)
      for number in ["9223372036854775807", "-1"] {
        let bad = text.replacing(/"pairs" : \d+/, with: "\"pairs\" : \(number)")
        try bad.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(SplitStatistics.read(path) == nil)
        let complaints = try LaionVerification(output: configuration.output).run()
          .flatMap(\.complaints)
        #expect(complaints == ["stats.json: damaged; run the download again"])
      }
      _ = try await LaionDownload(configuration).run()
      #expect(SplitStatistics.read(path)?.pairs == good.pairs)
    }
  }

  @Test func `a full split may be as large as a number can say`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      var configuration = configuration
      // Four times as many have no room for a few more.
      configuration.perSplit = .max / 4
      let pairs = try await LaionDownload(configuration).run().pairs
      #expect(pairs > 0)
    }
  }

  @Test func `a text file that changed in the middle of its kilobytes is another one`() async throws
  {
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let path = folder + "/meta/a.csv"
      try "url,text\nnone,one\n".write(toFile: path, atomically: true, encoding: .utf8)
      let configuration = loopbackConfiguration(folder)
      _ = try await LaionDownload(configuration).run()
      #expect(try await LaionDownload(configuration).run().skipped == [0])
      try "url,text\nnone,two\n".write(toFile: path, atomically: true, encoding: .utf8)
      await #expect(throws: LaionError.self) { try await LaionDownload(configuration).run() }
    }
  }

  /// The fractions of a retry pass after which it is interrupted.
  @Test(arguments: [0, 0.3, 0.7, 1])
  func `an interrupted retry pass is continued by the same command`(
    share: Double
  ) async throws {
    try await RetriedRows.withFinishedSplit { configuration, server in
      var whole = configuration
      whole.output += "-whole"
      try FileManager.default.copyItem(atPath: configuration.output, toPath: whole.output)
      let report = try await LaionDownload(whole).run()
      #expect(report.pairs == RetriedRows.finalPairs)
      let expected = try finalFiles(in: whole.output)

      // As a crash leaves it: some of the pass is in the ledger, and the split is unfinished.
      let lines = try String(contentsOfFile: whole.output + "/split0/.ledger", encoding: .utf8)
        .split(separator: "\n").map(String.init)
      let begun = try #require(lines.firstIndex { $0.hasPrefix("again\t") })
      let passed = lines[(begun + 1)...].filter { $0.contains("\twas ") }.count
      #expect(passed == RetriedRows.failures, "\(lines)")
      let kept = lines.prefix(begun + 1 + Int(share * Double(passed)))
      let ledger = whole.output + "/split0/.ledger"
      try (kept.joined(separator: "\n") + "\n").write(
        toFile: ledger,
        atomically: true,
        encoding: .utf8
      )
      try FileManager.default.removeItem(atPath: whole.output + "/split0/stats.json")
      let requests = server.totalCount
      _ = try await LaionDownload(whole).run()
      #expect(try differences(finalFiles(in: whole.output), expected) == [])
      // What the pass has asked for is not asked for again.
      #expect(server.totalCount - requests == RetriedRows.failures - (kept.count - begun - 1))
    }
  }
}
