import Files
import Foundation
import Glibc
import Networks

// The list of a run's snapshots, and the removal of those that `--keep` does not name.

extension RunSnapshots {
  /// Whether the snapshot of a tick is scored.
  ///
  /// - Parameters:
  ///   - tick: The tick's number; the first, 0, ends after one step.
  ///   - isLast: Whether the run ends with it.
  /// - Returns: Whether it is, if there are metrics.
  func isScored(tick: Int, isLast: Bool) -> Bool {
    if isLast { return true }
    if tick == 0 { return options.scoresStart }
    return tick / options.networkSnapshotTicks % options.metricsEvery == 0
  }

  /// Removes the snapshots that `--keep` does not name.
  ///
  /// It is called after a newer one was written. Only files of this run are removed.
  ///
  /// - Throws: `FileError` if the log cannot be written.
  func removeSurplus() throws {
    let there = written.filter { access(folder.file($0.name), F_OK) == 0 }
    let surplus = options.keep.surplus(
      there,
      prefersLarge: prefersLarge,
      keeping: best?.snapshot
    )
    written = there
    for snapshot in surplus {
      let path = folder.file(snapshot.name)
      do {
        try RegularFile.expect(at: path, to: "remove")
        if unlink(path) != 0, errno != ENOENT { throw FileError("remove", path: path) }
      } catch {
        try report.log("\(error) (training goes on)")
        continue
      }
      written.removeAll { $0.name == snapshot.name }
      try report.log("removed \(snapshot.name) (--keep \(options.keep.text))")
    }
  }

  /// Notes a written snapshot, which replaces an earlier one of its name.
  func note(written name: String, at images: Int) {
    written.removeAll { $0.name == name }
    written.append(WrittenSnapshot(name: name, imagesSeen: images))
  }

  /// Notes the first metric's score of a snapshot.
  func note(_ score: SnapshotMetric.Score, of name: String) {
    prefersLarge = score.prefersLarge
    guard let index = written.firstIndex(where: { $0.name == name }) else { return }
    // A score that is not finite counts as none.
    written[index].score = score.value.isFinite ? score.value : nil
  }
}
