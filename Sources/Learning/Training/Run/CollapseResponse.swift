/// The response to a collapse by `--on-collapse`: a warning, the end, or a rollback.
final class CollapseResponse {
  private let run: RunHelpers
  private let recovery: RunRecovery

  /// - Parameters:
  ///   - run: The run that has collapsed.
  ///   - recovery: Puts a checkpoint's state back.
  init(_ run: RunHelpers, _ recovery: RunRecovery) { (self.run, self.recovery) = (run, recovery) }

  /// Takes the action.
  ///
  /// - Parameter alarms: The alarms of the collapse.
  /// - Returns: Whether the run was rolled back.
  /// - Throws: `TrainingError.diverged` if the run ends.
  func respond(to alarms: [Watchdog.Alarm]) throws -> Bool {
    let reasons = alarms.map(\.description).joined(separator: "; ")
    let what = "at \(kimg(run.trainer.imagesSeen)) kimg \(reasons)"
    switch run.watch.verdict(alarms) {
    case .warn:
      try run.report.log("warning: \(what)")
      return false
    case .stop:
      run.checkpoints.wait()
      let hint = run.snapshots.best.map { "; the best snapshot is \($0.snapshot)" } ?? ""
      throw TrainingError.diverged(
        "\(what); the run is stopped, its checkpoints are good\(hint); go on with lower learning "
          + "rates by: nifty train --continue \(run.folder.path) --on-collapse=rollback"
      )
    case .rollBack:
      run.checkpoints.wait()
      try rollBack(what, alarms)
      return true
    }
  }

  /// Goes back to the last good checkpoint, with half the learning rates.
  private func rollBack(_ what: String, _ alarms: [Watchdog.Alarm]) throws {
    guard let number = run.watch.nextRollback else {
      throw TrainingError.diverged(
        "\(what); given up after \(Watchdog.mostRollbacks) rollbacks"
      )
    }
    let best = run.snapshots.best
    let limit = run.watch.lastGoodImages(alarms, now: run.trainer.imagesSeen, best: best)
    guard let found = try run.checkpoints.good(until: limit, last: run.watch.watchdog.rolledBackTo)
    else {
      throw TrainingError.diverged("\(what); there is no good checkpoint to go back to")
    }
    let (factor, spent) = (run.trainer.learningRateFactor / 2, run.clock.seconds)
    // The log keeps the lines that led here.
    try recovery.adopt(found, keepingLog: true)
    let images = run.trainer.imagesSeen
    run.trainer.learningRateFactor = factor
    run.watch.noteRollback(number, to: images)
    try run.snapshots.keep(best, rollbacks: number, at: images)
    run.clock.begin(at: images, after: spent)
    run.report.begin(again: images)
    try run.report.log(rollback: "\(what); back to \(kimg(images)) kimg", factor, at: images)
    run.checkpoints.demand()
  }
}
