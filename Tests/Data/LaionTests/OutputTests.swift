import Datasets
import Files
import Foundation
import Images
import Laion
import TestSupport
import Testing
import Text

/// Layouts, formats, retry passes, and the check of stored pairs.
@Suite struct OutputTests {
  /// Runs `body` with a configuration whose metadata lists `/0`, `/1`, … of the routes.
  private func withServer(
    _ count: Int,
    _ change: (Int, [UInt8]) -> LoopbackServer.Answer = { .bytes($1) },
    _ body: @escaping @Sendable (LaionConfiguration, LoopbackServer) async throws -> Void
  ) async throws {
    var routes: [String: LoopbackServer.Answer] = [:]
    for i in 0..<count { routes["/\(i)"] = change(i, try samplePNG(i)) }
    let all = routes
    try await withTemporaryFolder { folder in
      try await LoopbackServer.run(all) { server in
        try makeFolder(folder + "/meta")
        try writePart(
          0,
          in: folder + "/meta",
          (0..<count).map { (server.url("/\($0)"), "text \($0)") }
        )
        var configuration = loopbackConfiguration(folder)
        configuration.rowsPerFlush = 4
        configuration.window = 16
        try await body(configuration, server)
      }
    }
  }

  private func complaints(_ configuration: LaionConfiguration) throws -> [String] {
    var verification = LaionVerification(output: configuration.output)
    verification.decodesImages = true
    return try verification.run().flatMap(\.complaints)
  }

  @Test func `shards of tar hold the pairs, readable by tar itself`() async throws {
    try await withServer(30) { configuration, _ in
      var configuration = configuration
      configuration.layout = .webdataset
      configuration.perSplit = 10
      // First ten, then all: a shard that was ended is opened again.
      _ = try await LaionDownload(configuration).run()
      #expect(try complaints(configuration).isEmpty)
      configuration.perSplit = 30
      let report = try await LaionDownload(configuration).run()
      #expect(report.pairs == 30)
      #expect(try complaints(configuration).isEmpty)
      let folder = configuration.output + "/split0"
      let process = Process()
      process.executableURL = URL(filePath: "/bin/tar")
      process.arguments = ["-xf", folder + "/00000.tar", "-C", configuration.output]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      for i in [0, 9, 10, 29] {
        let name = configuration.output + "/" + zeroPadded(i, to: 9)
        #expect(FileManager.default.contents(atPath: name + ".png") == Data(try samplePNG(i)))
        #expect(FileManager.default.contents(atPath: name + ".txt") == Data("text \(i)".utf8))
      }
    }
  }

  @Test func `a packed dataset holds the pairs, and more when more are wanted`() async throws {
    try await withServer(
      30,
      { $0 == 7 ? .sequence([.status(503), .bytes($1)]) : .bytes($1) },
      { configuration, _ in
        var configuration = configuration
        configuration.layout = .zip
        configuration.image.size = 32
        configuration.fetch.attempts = 1
        let path = configuration.output + "/split0.zip"
        configuration.perSplit = 10
        _ = try await LaionDownload(configuration).run()
        #expect(try PackedDataset(path, requiresFeatures: false).count == 10)
        #expect(try complaints(configuration).isEmpty)
        configuration.perSplit = 40
        let report = try await LaionDownload(configuration).run()
        #expect(report.pairs == 29)
        configuration.retriesFailures = true
        #expect(try await LaionDownload(configuration).run().pairs == 30)
        #expect(try complaints(configuration).isEmpty)

        let set = try PackedDataset(path, requiresFeatures: false)
        #expect(DatasetCheck.faults(in: set).isEmpty)
        #expect(set.count == 30 && set.resolution == 32)
        #expect(set.manifest?.source == "nifty laion part-00000-test.snappy.parquet")
        for number in 0..<30 {
          // The row that failed at first is the last pair.
          let row = number == 29 ? 7 : number < 7 ? number : number + 1
          #expect(try set.captions(at: number) == ["text \(row)"])
          #expect(try set.encodedImage(at: number) == samplePNG(row, side: 32))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: configuration.output)
        #expect(Set(names) == ["split0", "split0.zip"])
      }
    )
  }

  @Test func `a packed dataset needs one size, and the ledger that it was made with`() async throws
  {
    try await withServer(6) { configuration, _ in
      var configuration = configuration
      configuration.layout = .zip
      let unsized = configuration
      await #expect(throws: LaionError.self) { try await LaionDownload(unsized).run() }
      configuration.image.size = 32
      _ = try await LaionDownload(configuration).run()
      try FileManager.default.removeItem(atPath: configuration.output + "/split0")
      let orphaned = configuration
      let error = await #expect(throws: LaionError.self) { try await LaionDownload(orphaned).run() }
      #expect(error?.description.contains("it holds 6 pairs and the ledger 0") == true)
    }
  }

  @Test func `a split without a pair has no packed dataset`() async throws {
    try await withServer(
      3,
      { _, _ in .status(404) },
      { configuration, _ in
        var configuration = configuration
        configuration.layout = .zip
        configuration.image.size = 32
        #expect(try await LaionDownload(configuration).run().pairs == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: configuration.output)
        #expect(names == ["split0"])
        #expect(try complaints(configuration).isEmpty)
      }
    )
  }

  @Test func `a torn shard is cut back to what the ledger vouches for`() async throws {
    try await withServer(12) { configuration, _ in
      var configuration = configuration
      configuration.layout = .webdataset
      _ = try await LaionDownload(configuration).run()
      let folder = configuration.output + "/split0"
      let whole = try Data(contentsOf: URL(filePath: folder + "/00000.tar"))
      // As a crash leaves it: the ledger knows some rows, the open shard has more and rubbish.
      let ledger = try String(contentsOfFile: folder + "/.ledger", encoding: .utf8)
      let lines = ledger.split(separator: "\n").prefix(6).joined(separator: "\n") + "\n"
      try lines.write(toFile: folder + "/.ledger", atomically: true, encoding: .utf8)
      try FileManager.default.removeItem(atPath: folder + "/stats.json")
      try FileManager.default.removeItem(atPath: folder + "/00000.tar")
      try (whole.prefix(20_000) + Data("torn".utf8)).write(
        to: URL(filePath: folder + "/.00000.tar")
      )
      _ = try await LaionDownload(configuration).run()
      #expect(try Data(contentsOf: URL(filePath: folder + "/00000.tar")) == whole)
      #expect(try complaints(configuration).isEmpty)
    }
  }

  @Test(arguments: [StoredFormat.jpg, .webp])
  func `images are stored in the format asked for`(format: StoredFormat) async throws {
    try await withServer(2) { configuration, _ in
      var configuration = configuration
      configuration.image.format = format
      configuration.image.size = 32
      let report = try await LaionDownload(configuration).run()
      #expect(report.pairs == 2)
      let bytes = try Data(contentsOf: URL(filePath: configuration.output + "/split0/1.\(format)"))
      let image = try RGBImage(decoding: Array(bytes))
      #expect(image.width == 32 && image.height == 32)
      // One colour survives both codecs within a few levels.
      let expected = try RGBImage(decoding: try samplePNG(1, side: 32))
      let worst = zip(image.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
      #expect(worst <= 6)
      #expect(try complaints(configuration).isEmpty)
    }
  }

  @Test func `equal files are stored once`() async throws {
    let image = try samplePNG(1)
    try await withServer(
      6,
      { $0 % 2 == 0 ? .bytes(image) : .bytes($1) },
      { configuration, _ in
        var configuration = configuration
        configuration.image.dropsDuplicates = true
        let report = try await LaionDownload(configuration).run()
        // Rows 0, 2, 4 and 1 are one file.
        #expect(report.pairs == 3)
        #expect(report.splits.first?.failures == ["duplicate image": 3])
        #expect(try complaints(configuration).isEmpty)
      }
    )
  }

  @Test func `a retry pass requests only rows that may recover`() async throws {
    try await withServer(
      8,
      {
        switch $0 {
        case 2: .sequence([.status(503), .status(503), .status(503), .bytes($1)])
        case 4: .status(404)
        case 6: .status(503)
        default: .bytes($1)
        }
      },
      { configuration, server in
        let first = try await LaionDownload(configuration).run()
        #expect(first.splits.first?.failures == ["HTTP 503": 2, "HTTP 404": 1])
        // Without the option nothing is retried.
        let requests = server.totalCount
        _ = try await LaionDownload(configuration).run()
        #expect(server.totalCount == requests)

        var again = configuration
        again.retriesFailures = true
        let second = try await LaionDownload(again).run()
        #expect(second.pairs == 6)
        #expect(second.splits.first?.failures == ["HTTP 503": 1, "HTTP 404": 1])
        #expect(server.count("/4") == 1)
        #expect(server.count("/0") == 1)
        let folder = configuration.output + "/split0"
        #expect(try pairs(in: folder)["5.txt"] == Data("text 2".utf8))
        #expect(
          try statuses(in: folder) == ["ok", "ok", "ok", "ok", "HTTP 404", "ok", "HTTP 503", "ok"]
        )
        #expect(try complaints(configuration).isEmpty)
        let third = try await LaionDownload(again).run()
        #expect(third.pairs == 6)
        #expect(try complaints(configuration).isEmpty)
      }
    )
  }

  @Test func `every fault of a split is reported`() async throws {
    try await withServer(6) { configuration, _ in
      _ = try await LaionDownload(configuration).run()
      #expect(try complaints(configuration).isEmpty)
      let folder = configuration.output + "/split0"
      try FileManager.default.removeItem(atPath: folder + "/1.png")
      try FileManager.default.removeItem(atPath: folder + "/2.txt")
      try Data("torn".utf8).write(to: URL(filePath: folder + "/3.png"))
      try Data(try samplePNG(4, side: 50)).write(to: URL(filePath: folder + "/4.png"))
      try Data("x".utf8).write(to: URL(filePath: folder + "/6.txt"))
      let found = try complaints(configuration)
      for start in [
        "pair 1 is missing", "2.png: its caption", "3.png: ", "4.png: 50×50", "6.txt: no row",
      ] {
        #expect(found.contains { $0.hasPrefix(start) }, "\(start)")
      }
      #expect(found.count == 5, "\(found)")
      try FileManager.default.removeItem(atPath: folder + "/stats.json")
      #expect(try complaints(configuration).contains { $0.hasPrefix("stats.json") })
    }
    #expect(throws: LaionError.self) { try LaionVerification(output: "/nonexistent").run() }
  }

  @Test func `swapped captions and images are reported`() async throws {
    try await withServer(6) { configuration, _ in
      _ = try await LaionDownload(configuration).run()
      let folder = configuration.output + "/split0"
      func swap(_ first: String, _ second: String) throws {
        for (from, to) in [(first, "x"), (second, first), ("x", second)] {
          try FileManager.default.moveItem(atPath: "\(folder)/\(from)", toPath: "\(folder)/\(to)")
        }
      }
      func found(whole: Bool) throws -> Set<String> {
        var verification = LaionVerification(output: configuration.output)
        verification.readsWholeFiles = whole
        return Set(try verification.run().flatMap(\.complaints))
      }
      #expect(try found(whole: true).isEmpty)
      try swap("1.txt", "2.txt")
      let captions = Set((1...2).map { "\($0).txt: not the caption in the index" })
      #expect(try found(whole: false) == captions)
      // Pictures of one size: only their bytes tell them apart.
      try swap("3.png", "4.png")
      let images = Set((3...4).map { "\($0).png: not the image that was stored" })
      #expect(try found(whole: true) == captions.union(images))
      try Data(try samplePNG(999)).write(to: URL(filePath: folder + "/5.png"))
      let sizes = try (0..<6).map { try samplePNG($0).count }
      if try samplePNG(999).count != sizes[5] {
        #expect(try found(whole: false).contains { $0.hasPrefix("5.png: ") })
      }
    }
  }

  @Test(arguments: [-1, 65_536, 70_000])
  func `an invalid port is refused`(port: Int) async {
    await #expect(throws: FileError.self) { try await MetricsServer(port: port) }
  }

  @Test func `progress is readable by Prometheus`() async throws {
    let progress = LaionProgress(
      split: 3,
      rowsDone: 10,
      pairs: 7,
      target: 20,
      failures: ["HTTP 404": 2],
      filtered: ["filtered: no caption": 1],
      bytes: 700,
      bytesPerSecond: 70,
      imagesPerSecond: 0.5
    )
    let server = try await MetricsServer(port: 0)
    server.note(progress)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    let request = "printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    process.arguments = ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(server.port); \(request)"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    await server.shutDown()
    #expect(text.hasSuffix("\r\n\r\n" + PrometheusText.text([progress])))
    #expect(text.contains("nifty_laion_pairs_total{split=\"3\"} 7\n"))
    #expect(text.contains("nifty_laion_failures{split=\"3\",cause=\"HTTP 404\"} 2\n"))
  }
}
