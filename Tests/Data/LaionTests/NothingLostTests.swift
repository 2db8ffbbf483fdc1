import Foundation
import Glibc
import Laion
import TestSupport
import Testing

/// Whatever ends a run, the next one ends with the files of a run that was not disturbed, and no file
/// under a final name is ever torn.
///
/// scripts/test runs these apart: they wait for a hundred processes on the threads of all tests.
@Suite struct NothingLostTests {
  /// The configuration for a layout, and the files that an undisturbed run leaves.
  private static func undisturbed(
    _ configuration: LaionConfiguration,
    _ layout: PairLayout
  ) async throws -> (LaionConfiguration, files: [String: Data], seconds: Double) {
    var configuration = configuration
    configuration.layout = layout
    configuration.pairsPerShard = 12
    if layout == .zip { configuration.image.size = 32 }
    let start = ContinuousClock.now
    let report = try await LaionDownload(configuration).run()
    let seconds = start.duration(to: .now) / .seconds(1)
    #expect(report.pairs > 50)
    #expect(try complaints(configuration).isEmpty)
    return (configuration, try finalFiles(in: configuration.output), seconds)
  }

  private static func complaints(_ configuration: LaionConfiguration) throws -> [String] {
    var verification = LaionVerification(output: configuration.output)
    verification.decodesImages = true
    return try verification.run().flatMap(\.complaints)
  }

  private static func isFinished(_ configuration: LaionConfiguration) -> Bool {
    SplitStatistics.read(configuration.output + "/split0/stats.json") != nil
  }

  @Test(
    .tags(.slow),
    arguments: [(PairLayout.folder, kills: 40), (.webdataset, kills: 30), (.zip, kills: 30)]
  )
  func `a run killed at any moment loses nothing`(layout: PairLayout, kills: Int) async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let (base, whole, seconds) = try await Self.undisturbed(configuration, layout)
      var killed = base
      var (round, interrupted, resumed) = (0, 0, 0)
      // The last moment of a kill, in seconds; follows the machine's pace.
      var last = min(2, seconds)
      for _ in 0..<kills {
        killed.output = base.output + "-\(round)"
        let ledger = killed.output + "/split0/.ledger"
        if let size = try? Data(contentsOf: URL(filePath: ledger)).count, size > 200 {
          resumed += 1
        }
        await expectKilled(killed, within: last)
        let found = try finalFiles(in: killed.output)
        for (path, bytes) in found where !path.hasPrefix("split0/index.") || Self.isFinished(killed)
        {
          #expect(whole[path] == bytes, "\(path) after kill in round \(round)")
        }
        if Self.isFinished(killed) {
          #expect(differences(found, whole) == [])
          round += 1
          last *= 0.7
        } else {
          interrupted += 1
          last *= 1.1
        }
      }
      print("\(layout): \(interrupted) of \(kills) kills before the end, \(resumed) went on")
      #expect(interrupted > kills / 3 && resumed > kills / 6)
      killed.output = base.output + "-\(round)"
      _ = try await LaionDownload(killed).run()
      #expect(try differences(finalFiles(in: killed.output), whole) == [])
      #expect(try Self.complaints(killed).isEmpty)
    }
  }

  @Test(.tags(.slow), arguments: PairLayout.allCases)
  func `a retry pass killed at any moment is finished by the same command`(
    layout: PairLayout
  ) async throws {
    try await RetriedRows.withFinishedSplit(layout: layout) { configuration, _ in
      /// A copy of the finished split, for a retry pass of its own.
      func copy(_ name: String) throws -> LaionConfiguration {
        var copy = configuration
        copy.output += "-\(name)"
        try makeFolder(copy.output)
        for file in try FileManager.default.contentsOfDirectory(atPath: configuration.output) {
          try FileManager.default.copyItem(
            atPath: "\(configuration.output)/\(file)",
            toPath: "\(copy.output)/\(file)"
          )
        }
        return copy
      }
      func isFinished(_ copy: LaionConfiguration) -> Bool {
        SplitStatistics.read(copy.output + "/split0/stats.json")?.pairs == RetriedRows.finalPairs
      }
      let whole = try copy("whole")
      let start = ContinuousClock.now
      _ = try await LaionDownload(whole).run()
      var last = min(2, start.duration(to: .now) / .seconds(1))
      let files = try finalFiles(in: whole.output)
      #expect(isFinished(whole))

      var killed = try copy("0")
      var (round, interrupted) = (0, 0)
      for _ in 0..<15 {
        await expectKilled(killed, within: last)
        if isFinished(killed) {
          #expect(try differences(finalFiles(in: killed.output), files) == [])
          round += 1
          killed = try copy("\(round)")
          last *= 0.7
        } else {
          interrupted += 1
          last *= 1.1
        }
      }
      #expect(interrupted > 4)
      _ = try await LaionDownload(killed).run()
      #expect(try differences(finalFiles(in: killed.output), files) == [])
      #expect(try Self.complaints(killed).isEmpty)
    }
  }

  @Test(arguments: PairLayout.allCases)
  func `a file that may not grow ends the run, and the next one loses nothing`(
    layout: PairLayout
  ) async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let (base, whole, _) = try await Self.undisturbed(configuration, layout)
      var limited = base
      limited.output += "-limited"
      for bytes in [500, 1500, 3000] {
        await #expect(processExitsWith: .success) {
          [limited = limited as LaionConfiguration, bytes = bytes as Int] in
          signal(SIGXFSZ, SIG_IGN)
          var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
          setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
          do {
            _ = try await LaionDownload(limited).run()
            exit(3)
          } catch is LaionError {
            exit(0)
          }
        }
        #expect(!Self.isFinished(limited))
      }
      _ = try await LaionDownload(limited).run()
      #expect(try differences(finalFiles(in: limited.output), whole) == [])
      #expect(try Self.complaints(limited).isEmpty)
    }
  }

  @Test(.enabled(if: SmallDisk.isAvailable, SmallDisk.reason), arguments: PairLayout.allCases)
  func `a full disk ends the run, and with more room nothing is lost`(
    layout: PairLayout
  ) async throws {
    try await MixedRows.withMetadata { configuration, _ in
      let (base, whole, _) = try await Self.undisturbed(configuration, layout)
      var small = base
      small.output += "-full"
      let full = small
      try makeFolder(full.output)
      try #require(try SmallDisk.mount(full.output, kilobytes: 40))
      defer { SmallDisk.unmount(full.output) }
      for kilobytes in [40, 60] {
        try #require(try SmallDisk.resize(full.output, kilobytes: kilobytes))
        let error = await #expect(throws: LaionError.self) {
          try await LaionDownload(full).run()
        }
        #expect(error?.description.contains("free some space") == true, "\(error as Any)")
        #expect(!Self.isFinished(full))
      }
      try #require(try SmallDisk.resize(full.output, kilobytes: 64 << 10))
      _ = try await LaionDownload(full).run()
      #expect(try differences(finalFiles(in: full.output), whole) == [])
      #expect(try Self.complaints(full).isEmpty)
    }
  }

  @Test func `rows that failed while a server was down succeed when it is back`() async throws {
    var routes: [String: RawServer.Script] = [:]
    for i in 0..<80 { routes["/\(i)"] = .ok(try samplePNG(i)) }
    let first = try RawServer(routes)
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let rows = (0..<80).map { (url: "http://127.0.0.1:\(first.port)/\($0)", text: "text \($0)") }
      try writePart(0, in: folder + "/meta", rows)
      var configuration = loopbackConfiguration(folder)
      configuration.fetch.attempts = 1
      configuration.fetch.concurrency = 2
      Thread.detachNewThread {
        while first.accepted < 30 { usleep(200) }
        first.stop()
      }
      let gone = try await LaionDownload(configuration).run()
      let failures = try #require(gone.splits.first?.failures)
      #expect(gone.pairs >= 28 && gone.pairs < 80)
      #expect(Set(failures.keys).isSubset(of: ["connection failed", "connection lost"]))
      #expect(try Self.complaints(configuration).isEmpty)

      let second = try RawServer(routes, port: first.port)
      defer { second.stop() }
      configuration.retriesFailures = true
      let back = try await LaionDownload(configuration).run()
      #expect(back.pairs == 80)
      #expect(try Self.complaints(configuration).isEmpty)
      let files = try pairs(in: configuration.output + "/split0")
      let captions = try (0..<80).map { number in
        let caption = String(decoding: try #require(files["\(number).txt"]), as: UTF8.self)
        let row = try #require(Int(caption.dropFirst(5)))
        #expect(files["\(number).png"] == Data(try samplePNG(row)))
        return caption
      }
      #expect(Set(captions) == Set((0..<80).map { "text \($0)" }))
    }
  }
}

/// Runs a download in a process of its own that kills itself at a random moment.
private func expectKilled(_ configuration: LaionConfiguration, within seconds: Double) async {
  let delay = UInt32(1e6 * Double.random(in: 0..<seconds))
  await #expect(processExitsWith: .signal(SIGKILL)) {
    [configuration = configuration as LaionConfiguration, delay = delay as UInt32] in
    Thread.detachNewThread {
      usleep(delay)
      kill(getpid(), SIGKILL)
    }
    _ = try await LaionDownload(configuration).run()
    try await Task.sleep(for: .seconds(100))
  }
}
