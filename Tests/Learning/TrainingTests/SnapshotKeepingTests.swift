import Files
import Foundation
import JSON
import TestSupport
import Testing

@testable import Training

/// Which network snapshots stay, and what a run takes of the disk.
@Suite("Snapshots that stay")
struct SnapshotKeepingTests {
  @Test(arguments: [
    ("all", "all"), ("last:3", "last:3"), ("every:1000,best:2,last:1", "last:1,best:2,every:1000"),
  ])
  func `a rule is read and written as it is typed`(text: String, written: String) throws {
    let rule = try SnapshotKeeping(text)
    #expect(rule.text == written && SnapshotKeeping(json: rule.json) == rule)
  }

  @Test(arguments: [
    "", "last", "last:", "last:0", "last:-1", "last:1.5", "last:1000000001", "newest:3", "last:3,",
    "last:3;best:2", "all,last:3", "last:3:4", "last:99999999999999999999", "LAST:3", "last: 3",
  ])
  func `what is no rule is refused in one line that says what is allowed`(text: String) throws {
    let error = #expect(throws: TrainingError.self) { try SnapshotKeeping(text) }
    let line = "\(try #require(error))"
    #expect(line.contains("--keep must be all, or last:N, best:M and every:KIMG"), "\(line)")
    #expect(!line.contains("\n"))
    #expect(SnapshotKeeping(json: .string(text)) == nil)
  }

  @Test func `a part that is said twice is named`() throws {
    let error = #expect(throws: TrainingError.self) { try SnapshotKeeping("last:3,last:4") }
    #expect("\(try #require(error))".contains("--keep says last twice"))
  }

  /// Snapshots at 0, 2, 4 … kimg with scores, where larger is worse.
  private let written: [WrittenSnapshot] = [9, 5, 7, nil, 4, 8].enumerated().map { index, score in
    WrittenSnapshot(name: "\(2 * index)", imagesSeen: 2000 * index + 4, score: score)
  }

  @Test(arguments: [
    ("all", "0 2 4 6 8 10"), ("last:2", "8 10"), ("last:9", "0 2 4 6 8 10"), ("best:2", "2 8 10"),
    ("best:9", "0 2 4 8 10"), ("every:4", "0 4 8 10"), ("every:3", "0 4 6 10"),
    ("every:99", "0 10"),
    ("last:1,best:1,every:99", "0 8 10"),
  ])
  func `the newest stays whatever the rule says, and what one part of it names`(
    text: String,
    expected: String
  ) throws {
    let surplus = try SnapshotKeeping(text).surplus(written, prefersLarge: false).map(\.name)
    let kept = written.map(\.name).filter { !surplus.contains($0) }
    #expect(kept.joined(separator: " ") == expected)
  }

  @Test func `where larger is better the largest are the best, and of equals the later`() throws {
    let rule = try SnapshotKeeping("best:1")
    #expect(rule.surplus(written, prefersLarge: true).map(\.name) == ["2", "4", "6", "8"])
    let equal = (0..<4).map { WrittenSnapshot(name: "\($0)", imagesSeen: $0, score: 1) }
    #expect(rule.surplus(equal, prefersLarge: false).map(\.name) == ["0", "1", "2"])
    #expect(rule.surplus(equal, prefersLarge: false, keeping: "1").map(\.name) == ["0", "2"])
    #expect(rule.surplus([], prefersLarge: false).isEmpty)
  }

  @Test func `the rule removes the same snapshots at once as one after another`() throws {
    // A run removes after each snapshot; the rule looked at once, at the end, leaves the same.
    for text in ["last:2", "best:2", "every:5", "last:1,best:2,every:6"] {
      let rule = try SnapshotKeeping(text)
      var there: [WrittenSnapshot] = []
      var most = 0
      for snapshot in written {
        there.append(snapshot)
        let surplus = rule.surplus(there, prefersLarge: false)
        there.removeAll { surplus.contains($0) }
        most = max(most, there.count)
      }
      let atOnce = rule.surplus(written, prefersLarge: false)
      #expect(there == written.filter { !atOnce.contains($0) }, "\(text)")
      #expect(most <= rule.most(of: written.count, kimg: 10.004, isScored: false), "\(text)")
    }
  }

  @Test func `the forecast of the seed's run is what it has been seen to write`() throws {
    var options = TrainingOptions.automatic(
      resolution: 256,
      featureDimension: 512,
      reducedPrecision: true
    )
    options.networkSnapshotTicks = 10
    func line() -> String {
      DiskForecast(options, snapshotBytes: 329_000_000, checkpointBytes: 660_000_000, free: nil)
        .line(options.keep)
    }
    #expect(
      line()
        == "disk: 626 snapshots of 329 MB will take 206 GB (--keep leaves fewer), checkpoints up to 3.30 GB"
    )
    options.keep = try SnapshotKeeping("last:3,every:1000")
    #expect(
      line()
        == "disk: 626 snapshots of 329 MB would take 206 GB; --keep last:3,every:1000 leaves at most 29, "
        + "9.54 GB; checkpoints up to 3.30 GB"
    )
    options.keep = try SnapshotKeeping("last:1")
    #expect(line().contains("leaves at most 1, 329 MB"))
    options.metrics = ["fid50k_full"]
    #expect(line().contains("leaves at most 2, 658 MB"))
  }

  @Test(arguments: [0.004, 1, 1e12])
  func `runs of any length have a forecast`(kimg: Double) {
    var options = TrainingOptions.automatic(
      resolution: 256,
      featureDimension: 512,
      reducedPrecision: true
    )
    options.kimg = kimg
    options.tickKimg = 1e-9
    options.networkSnapshotTicks = .max
    let forecast = DiskForecast(options, snapshotBytes: .max, checkpointBytes: 1)
    #expect(forecast.snapshots >= 1 && forecast.kept == forecast.snapshots)
    options.networkSnapshotTicks = 1
    #expect(DiskForecast(options, snapshotBytes: 1, checkpointBytes: 1).snapshots >= 1)
  }
}
