import Files
import Glibc
import Text

/// The forecast of a run's disk space: network snapshots, with and without `--keep`, and checkpoints.
///
/// Sample grids, statistics and logs are small beside them and not counted.
struct DiskForecast: Equatable {
  /// The maximum number of snapshots written.
  let snapshots: Int
  /// Snapshots that stay.
  let kept: Int
  /// Bytes of one snapshot.
  let snapshotBytes: Int
  /// Bytes of the checkpoints.
  let checkpointBytes: Int
  /// Bytes that are free.
  let free: Int?

  /// The maximum number of checkpoints: the newest two, the newest that is surely good, that of the best
  /// snapshot, and one that is being written.
  private static let checkpoints = 5

  /// A forecast of known sizes.
  ///
  /// - Parameters:
  ///   - options: The run.
  ///   - snapshotBytes: Bytes of one snapshot.
  ///   - checkpointBytes: Bytes of one checkpoint.
  ///   - free: Bytes that are free.
  init(_ options: TrainingOptions, snapshotBytes: Int, checkpointBytes: Int, free: Int? = nil) {
    let batch = Double(max(options.trainer.batchSize, 1))
    // Ticks end with a step, the first one after a single step.
    let images = max((options.tickKimg * 1000 / batch).rounded(.up), 1) * batch
    let ticks = max(options.kimg * 1000 - batch, 0) / images
    let most = min(ticks / Double(options.networkSnapshotTicks), options.kimg, 1e9)
    // With the first and the last one; two within one thousand images have one name.
    snapshots = Int(min(most.rounded(.down) + 2, options.kimg.rounded(.down) + 1))
    kept = options.keep.most(
      of: snapshots,
      kimg: options.kimg,
      isScored: !options.metrics.isEmpty
    )
    self.snapshotBytes = snapshotBytes
    self.checkpointBytes = checkpointBytes * Self.checkpoints
    self.free = free
  }

  /// Bytes of all snapshots.
  private func bytes(_ count: Int) -> Double { Double(count) * Double(snapshotBytes) }

  /// One line about it.
  func line(_ keep: SnapshotKeeping) -> String {
    let all = "\(Text.count(snapshots, "snapshot")) of \(Text.bytes(Double(snapshotBytes)))"
    let checkpoints = "checkpoints up to \(Text.bytes(Double(checkpointBytes)))"
    let room = free.map { "; \(Text.bytes(Double($0))) are free" } ?? ""
    if keep.isAll {
      return
        "disk: \(all) will take \(Text.bytes(bytes(snapshots))) (--keep leaves fewer), \(checkpoints)"
        + room
    }
    return
      "disk: \(all) would take \(Text.bytes(bytes(snapshots))); --keep \(keep.text) leaves at most "
      + "\(kept), \(Text.bytes(bytes(kept))); \(checkpoints)\(room)"
  }
}

/// Free disk space of a folder in bytes; `nil` if unknown.
func freeBytes(at path: String) -> Int? {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else { return nil }
  return Int(
    exactly: status.f_bavail.multipliedReportingOverflow(by: UInt(status.f_frsize)).partialValue
  )
}
