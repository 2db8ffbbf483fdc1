import Files
import Foundation
import TestSupport
import Testing

@testable import Training

/// The snapshots of a run on the disk: written, scored, removed.
@Suite("Snapshots of a run", .serialized)
struct RunSnapshotsTests {
  /// Writes a snapshot at each number of kimg and scores it where there is a score for it.
  private func write(
    _ run: TrainingRun,
    at kimg: [Int],
    isLast: Bool = false
  ) throws {
    let watch = RunWatch(.warn)
    for number in kimg {
      run.trainer.imagesSeen = number * 1000
      run.report.beginTick(at: number * 1000, after: 0)
      try run.snapshots.write(run.trainer, isLast: isLast)
      _ = try run.snapshots.score(
        run.trainer,
        watch: watch,
        computing: { try $0() },
        stops: { false }
      )
    }
  }

  /// Thousands of images of the snapshots that are there.
  private func files(_ run: TrainingRun) throws -> [Int] {
    try listFolder(run.folder.path).filter { $0.hasPrefix("network-snapshot-") }
      .compactMap { Int($0.dropFirst(17).prefix(6)) }.sorted()
  }

  /// A metric of given values, one a snapshot.
  private func metric(_ values: [Double], prefersLarge: Bool = false) -> SnapshotMetric {
    var rest = values
    return SnapshotMetric("made") { _, snapshot in
      let value = rest.removeFirst()
      return .init(
        line: "{\"results\": {\"made\": \(value)}, \"snapshot_pkl\": \"\(snapshot)\"}",
        value: value,
        prefersLarge: prefersLarge
      )
    }
  }

  private func tiny(_ keep: String) throws -> TinyRun {
    var tiny = try TinyRun()
    tiny.options.networkSnapshotTicks = 1
    tiny.options.keep = try SnapshotKeeping(keep)
    return tiny
  }

  @Test func `those that the rule does not keep are removed, and the log names them`() throws {
    let tiny = try tiny("last:2,every:10")
    let run = try tiny.session(metrics: [])
    try write(run, at: [0, 4, 8, 12, 16, 20, 24])
    #expect(try files(run) == [0, 12, 20, 24])
    let log = try String(contentsOfFile: run.folder.file("log.txt"), encoding: .utf8)
    #expect(log.contains("removed network-snapshot-000008.safetensors (--keep last:2,every:10)"))
    #expect(log.components(separatedBy: "removed ").count - 1 == 3)
  }

  @Test func `the best by the metric stay, and best.json names one that is there`() throws {
    let tinyBest = try tiny("best:2")
    let run = try tinyBest.session(metrics: [metric([9, 5, 7, 6, 8])])
    try write(run, at: [0, 4, 8, 12, 16])
    #expect(try files(run) == [4, 12, 16])
    let tinyLast = try tiny("last:1")
    let large = try tinyLast.session(metrics: [metric([1, 3, 2, 2.5], prefersLarge: true)])
    try write(large, at: [0, 4, 8, 12])
    #expect(try files(large) == [4, 12])
    let best = try #require(large.snapshots.best)
    #expect(best.snapshot == "network-snapshot-000004.safetensors")
  }

  @Test func `nothing is removed before the newer one is on the disk`() throws {
    let tiny = try tiny("last:1")
    let run = try tiny.session(metrics: [])
    try write(run, at: [0])
    // A folder of the next one's name: it cannot be written.
    try makeFolder(run.folder.file("network-snapshot-000004.safetensors"))
    try write(run, at: [4])
    #expect(try files(run) == [0, 4])
    #expect(run.snapshots.written.map(\.imagesSeen) == [0])
    try write(run, at: [8])
    #expect(run.snapshots.written.map(\.imagesSeen) == [8000])
  }

  @Test func `files that the run has not written stay, and so does a link in a snapshot's place`()
    throws
  {
    let tiny = try tiny("last:1")
    let run = try tiny.session(metrics: [])
    try AtomicFile.write("mine", to: run.folder.file("network-snapshot-000001.pkl"))
    try write(run, at: [4])
    try AtomicFile.write("precious", to: tiny.folder.file("precious"))
    let path = run.folder.file("network-snapshot-000004.safetensors")
    try FileManager.default.removeItem(atPath: path)
    #expect(symlink(tiny.folder.file("precious"), path) == 0)
    try write(run, at: [8])
    #expect(try files(run) == [1, 4, 8])
    let log = try String(contentsOfFile: run.folder.file("log.txt"), encoding: .utf8)
    #expect(log.contains("000004.safetensors") && log.contains("training goes on"), "\(log)")
  }

  @Test func `a continued run knows its snapshots, and another rule counts for them`() throws {
    var tiny = try tiny("all")
    let folder = try tiny.run(stoppingAfter: [])
    let state = try #require(
      try CheckpointFolder(folder + "/checkpoint").newest(onDamage: { _ in })
    ).state
    // All of this run's are of the first thousand images: one file.
    #expect(state.snapshots?.map(\.name) == ["network-snapshot-000000.safetensors"])
    #expect(state.snapshots?.first?.score == state.lastScore && state.prefersLarge == true)
    tiny.options.keep = try SnapshotKeeping("last:1")
    let run = try tiny.session(continuing: folder, metrics: [])
    try write(run, at: [4, 8])
    // That of the best score before stays.
    #expect(try files(run) == [0, 8])
  }

  @Test func `a state of an earlier version names no snapshots`() throws {
    let tiny = try tiny("last:1")
    let folder = try tiny.run(stoppingAfter: [2], finishing: false)
    let state = try #require(
      try CheckpointFolder(folder + "/checkpoint").newest(onDamage: { _ in })
    ).state
    var object = try #require(
      JSONSerialization.jsonObject(with: Data(state.json.utf8)) as? [String: Any]
    )
    #expect(object.removeValue(forKey: "snapshots") != nil)
    object["prefersLarge"] = nil
    let old = String(
      decoding: try JSONSerialization.data(withJSONObject: object),
      as: UTF8.self
    )
    let read = try RunState(json: old)
    #expect(read.snapshots == nil)
    try read.validate()
  }

  @Test func `a state that names other files as snapshots is refused`() throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [2], finishing: false)
    var state = try #require(
      try CheckpointFolder(folder + "/checkpoint").newest(onDamage: { _ in })
    ).state
    for name in ["../../etc/passwd", "log.txt", "network-snapshot-/x", "network-snapshot-../x"] {
      state.snapshots = [WrittenSnapshot(name: name, imagesSeen: 1)]
      #expect(throws: TrainingError.self) { try state.validate() }
    }
    state.snapshots = [WrittenSnapshot(name: "network-snapshot-000001.pkl", imagesSeen: -1)]
    #expect(throws: TrainingError.self) { try state.validate() }
  }

  @Test(arguments: [
    (1, false, [2, 4, 5]), (1, true, [0, 2, 4, 5]), (2, false, [4, 5]), (9, false, [5]),
  ])
  func `metrics are computed at every so many snapshots, the last, and the first if asked`(
    every: Int,
    isAtStart: Bool,
    expected: [Int]
  ) throws {
    var tiny = try TinyRun()
    tiny.options.metricsEvery = every
    tiny.options.scoresStart = isAtStart
    let run = try tiny.session()
    // Snapshots are written every two ticks and at the end, here after tick 5.
    let scored = [0, 2, 4, 5].filter { run.snapshots.isScored(tick: $0, isLast: $0 == 5) }
    #expect(scored == expected)
  }

  @Test func `without being asked a run does not score what has seen one step`() throws {
    var tiny = try TinyRun()
    tiny.options.scoresStart = false
    let record = try tiny.record(tiny.run(stoppingAfter: [3]))
    #expect(record.metric.count == 2)
  }
}
