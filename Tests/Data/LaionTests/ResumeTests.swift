import Foundation
import Laion
import Parquet
import TestSupport
import Testing

/// A download that is interrupted and continued ends as one that was not.
@Suite struct ResumeTests {
  private func index(of folder: String) throws -> [[String?]] {
    let columns = [
      "number", "row", "SAMPLE_ID", "URL", "caption", "width", "height", "bytes", "sha256",
      "status",
    ]
    let reader = try ParquetReader(
      path: folder + "/index.parquet",
      columns: columns.map { ParquetColumn($0) }
    )
    #expect(reader.columnNames == columns)
    var rows: [[String?]] = []
    while let batch = try reader.next() {
      for row in 0..<batch.rowCount { rows.append(columns.map { batch[$0].string(row) }) }
    }
    return rows
  }

  @Test func `numbers follow row order, and index and statistics agree with the files`()
    async throws
  {
    try await MixedRows.withMetadata { configuration, server in
      let report = try await LaionDownload(configuration).run()
      let folder = configuration.output + "/split0"
      let statistics = try #require(report.splits.first)
      #expect(SplitStatistics.read(folder + "/stats.json") == statistics)
      #expect(statistics.isExhausted)
      #expect(statistics.rowsRead == MixedRows.count)
      let accounted =
        statistics.pairs + statistics.failures.values.reduce(0, +)
        + statistics.filtered.values.reduce(0, +)
      #expect(accounted == MixedRows.count)
      #expect(statistics.filtered["filtered: safety label"] == 7)

      let files = try pairs(in: folder)
      let index = try index(of: folder)
      #expect(index.count == MixedRows.count - statistics.filtered.values.reduce(0, +))
      var number = 0
      for line in index {
        let row = try #require(line[1].flatMap { Int($0) })
        #expect(line[2] == "\(1000 + row)")
        guard line[9] == "ok" else {
          #expect(line[0] == nil)
          continue
        }
        #expect(line[0] == "\(number)")
        let image = Data(try samplePNG(row))
        #expect(files["\(number).png"] == image)
        #expect(files["\(number).txt"] == Data("caption \(row)\nзаголовок \(row)".utf8))
        #expect(line[4] == "caption \(row)\nзаголовок \(row)")
        #expect(line[5] == "40" && line[6] == "40" && line[7] == "\(image.count)")
        number += 1
      }
      #expect(number == statistics.pairs)
      #expect(files.count == 2 * number)
      #expect(!FileManager.default.fileExists(atPath: folder + "/.staged"))
    }
  }

  @Test func `a split stops when it is full and is not begun again`() async throws {
    try await MixedRows.withMetadata { configuration, server in
      var configuration = configuration
      configuration.perSplit = 10
      let report = try await LaionDownload(configuration).run()
      #expect(report.pairs == 10)
      #expect(report.splits.first?.isExhausted == false)
      let requests = server.totalCount
      #expect(requests < 70)

      let again = try await LaionDownload(configuration).run()
      #expect(again.skipped == [0])
      #expect(again.splits == report.splits)
      #expect(server.totalCount == requests)

      // More are wanted: the ten stay, and the rest follows.
      let first = try pairs(in: configuration.output + "/split0")
      configuration.perSplit = 20
      let more = try await LaionDownload(configuration).run()
      #expect(more.pairs == 20)
      let all = try pairs(in: configuration.output + "/split0")
      #expect(all.count == 40)
      #expect(first.allSatisfy { all[$0.key] == $0.value })
    }
  }

  @Test(arguments: 0..<3)
  func `a run cancelled at any moment continues to the same end`(seed: Int) async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let whole = try await LaionDownload(configuration).run()
      let expected = try pairs(in: configuration.output + "/split0")
      let expectedIndex = try index(of: configuration.output + "/split0")

      var second = configuration
      second.output += "-resumed"
      let interrupted = second
      var cancellations = 0
      for round in 0..<12 {
        let task = Task { try await LaionDownload(interrupted).run() }
        try await Task.sleep(for: .milliseconds(30 + (seed * 67 + round * 53) % 190))
        task.cancel()
        do {
          _ = try await task.value
          break
        } catch let error as LaionError {
          #expect(error == .cancelled)
          cancellations += 1
        }
      }
      let report = try await LaionDownload(second).run()
      #expect(report.splits.map(\.withoutTime) == whole.splits.map(\.withoutTime))
      #expect(try pairs(in: second.output + "/split0") == expected)
      #expect(try index(of: second.output + "/split0") == expectedIndex)
      #expect(cancellations > 0)
    }
  }

  @Test func `after a crash at any point the resumed download has the same pairs`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let whole = try await LaionDownload(configuration).run()
      let folder = configuration.output + "/split0"
      let expected = try pairs(in: folder)
      let ledger = try Data(contentsOf: URL(filePath: folder + "/.ledger"))
      for cut in stride(from: 0, through: ledger.count, by: ledger.count / 5) {
        try FileManager.default.removeItem(atPath: folder + "/stats.json")
        try? FileManager.default.removeItem(atPath: folder + "/index.parquet")
        // The ledger ends anywhere, with rubbish behind it, and files of later pairs are torn.
        try (ledger.prefix(cut) + Data("12\tx".utf8)).write(to: URL(filePath: folder + "/.ledger"))
        try Data("torn".utf8).write(to: URL(filePath: "\(folder)/\(whole.pairs - 1).png"))
        try makeFolder(folder + "/.staged")
        try Data("torn".utf8).write(to: URL(filePath: "\(folder)/.staged/3.png"))
        if cut == ledger.count {
          // Nothing is requested again: rows in the ledger are skipped.
          try expected["\(whole.pairs - 1).png"]?
            .write(to: URL(filePath: "\(folder)/\(whole.pairs - 1).png"))
        }
        let report = try await LaionDownload(configuration).run()
        #expect(report.splits.map(\.withoutTime) == whole.splits.map(\.withoutTime))
        let files = try pairs(in: folder)
        #expect(files == expected, "cut at \(cut) of \(ledger.count)")
      }
    }
  }

  @Test func `other settings do not continue a split`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      var configuration = configuration
      configuration.perSplit = 5
      _ = try await LaionDownload(configuration).run()
      configuration.perSplit = 6
      configuration.filter.minimumCaptionLength = 3
      let changed = configuration
      let folder = configuration.output + "/split0"
      await #expect(throws: LaionError.differentSettings(folder: folder)) {
        try await LaionDownload(changed).run()
      }
    }
  }

  @Test func `a ledger that contradicts itself is an error`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      var configuration = configuration
      configuration.perSplit = 5
      _ = try await LaionDownload(configuration).run()
      let path = configuration.output + "/split0/.ledger"
      // The second line once more: its checksum is right, its number is not.
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let twice = lines.prefix(2) + lines.dropFirst()
      try twice.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
      configuration.perSplit = 6
      let changed = configuration
      await #expect(throws: LaionError.damagedLedger(path: path, line: 3)) {
        try await LaionDownload(changed).run()
      }
    }
  }

  @Test func `two runs do not share a folder`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let first = Task { try await LaionDownload(configuration).run() }
      while !FileManager.default.fileExists(atPath: configuration.output + "/split0/.ledger") {
        try await Task.sleep(for: .milliseconds(1))
      }
      try await Task.sleep(for: .milliseconds(20))
      let folder = configuration.output + "/split0"
      await #expect(throws: LaionError.inUse(folder: folder)) {
        try await LaionDownload(configuration).run()
      }
      let report = try await first.value
      let files = try pairs(in: folder)
      #expect(files.count == 2 * report.pairs)
    }
  }

  @Test func `a folder that is not writable ends the run`() async throws {
    try await MixedRows.withMetadata { configuration, _ in
      var configuration = configuration
      configuration.output = "/proc/nifty"
      let changed = configuration
      await #expect(throws: LaionError.self) { try await LaionDownload(changed).run() }
    }
  }

  @Test func `several parts become several splits, and progress is reported`() async throws {
    try await withTemporaryFolder { folder in
      var routes: [String: LoopbackServer.Answer] = [:]
      for i in 0..<12 { routes["/\(i)"] = .bytes(try samplePNG(i)) }
      try await LoopbackServer.run(routes) { server in
        try makeFolder(folder + "/meta")
        for part in 0..<3 {
          let rows = (0..<4).map { (url: server.url("/\(part * 4 + $0)"), text: "\(part) \($0)") }
          try writePart(part, in: folder + "/meta", rows)
        }
        var configuration = loopbackConfiguration(folder)
        configuration.parts = 1...2
        configuration.perSplit = 3
        let seen = Reports()
        let report = try await LaionDownload(configuration).run { seen.append($0) }
        #expect(report.splits.map(\.split) == [1, 2])
        #expect(report.splits.map(\.pairs) == [3, 3])
        #expect(!FileManager.default.fileExists(atPath: folder + "/out/split0"))
        let files = try pairs(in: folder + "/out/split2")
        #expect(files["0.txt"] == Data("2 0".utf8))
        let full = seen.all.filter { $0.pairs == 3 }
        #expect(Set(full.map(\.split)) == [1, 2])
        #expect(full.allSatisfy { $0.target == 3 && $0.bytes > 0 && $0.imagesPerSecond > 0 })
      }
    }
  }
}
