import Files
import Foundation

extension TrainingRun {
  /// Does what the options want done about a collapse.
  ///
  /// - Returns: Whether the run was taken back to an earlier state.
  @discardableResult
  func collapse(_ alarms: [Watchdog.Alarm]) throws -> Bool {
    let reasons = alarms.map(\.description).joined(separator: "; ")
    let place = "at \(kimg(trainer.imagesSeen)) kimg \(reasons)"
    let isFatal = alarms.contains { $0.kind == "not-finite" }
    switch options.collapsePolicy {
    case .warn where !isFatal:
      try say("warning: \(place)")
      return false
    case .warn, .stop:
      writer.wait()
      let hint = best.map { "; the best snapshot is \($0.snapshot)" } ?? ""
      throw TrainingError.diverged(
        "\(place); the run is stopped, its checkpoints are good\(hint); go on with lower learning "
          + "rates by: nifty train --continue \(folder.path) --on-collapse=rollback"
      )
    case .rollback:
      try rollBack(place, alarms)
      return true
    }
  }

  /// Goes back to the last good checkpoint, with half the learning rates.
  private func rollBack(_ place: String, _ alarms: [Watchdog.Alarm]) throws {
    writer.wait()
    let rollbacks = watchdog.rollbacks + 1
    guard rollbacks <= Watchdog.mostRollbacks else {
      throw TrainingError.diverged(
        "\(place); given up after \(Watchdog.mostRollbacks) rollbacks"
      )
    }
    guard let found = try goodCheckpoint(until: lastGoodImages(alarms)) else {
      throw TrainingError.diverged("\(place); there is no good checkpoint to go back to")
    }
    let (factor, spent, best) = (trainer.learningRateFactor / 2, seconds, best)
    // What led here stays in the log: who reads it wants to know.
    try adopt(found, keepingWords: true)
    secondsBefore = spent
    trainer.learningRateFactor = factor
    watchdog.rollbacks = rollbacks
    watchdog.rolledBackTo = trainer.imagesSeen
    if let best, best.imagesSeen > trainer.imagesSeen { try keep(best) }
    (sessionStart, tickStart) = (.now, .now)
    firstImageOfSession = trainer.imagesSeen
    board = Board(in: folder, imagesSeen: trainer.imagesSeen)
    try say(
      "\(place); back to \(kimg(trainer.imagesSeen)) kimg with \(factor) times the learning rates"
    )
    checkpointIsDue = true
    stateWasReplaced = true
  }

  /// The newest healthy checkpoint up to a number of images; one from before the last rollback's if
  /// that did not help.
  private func goodCheckpoint(until limit: Int) throws -> Checkpoint? {
    func newest(until limit: Int) throws -> Checkpoint? {
      try checkpoints.newest(
        where: { $0.watchdog.isHealthy && $0.trainer.imagesSeen <= limit },
        onDamage: { observe(.line($0)) }
      )
    }
    let found = try newest(until: limit)
    guard let found, found.state.trainer.imagesSeen == watchdog.rolledBackTo else { return found }
    return try newest(until: found.state.trainer.imagesSeen - 1) ?? found
  }

  /// Keeps the best snapshot, which the run would write once more and worse, under a name of its own.
  private func keep(_ best: BestSnapshot) throws {
    var kept = best
    kept.snapshot = "rolled-back-\(watchdog.rollbacks)-" + best.snapshot
    if rename(folder.file(best.snapshot), folder.file(kept.snapshot)) != 0 {
      try say("\(FileError("rename", path: folder.file(best.snapshot))) (training goes on)")
      return
    }
    try remember(kept)
  }

  /// Images seen by the latest state that was surely good.
  ///
  /// A score tells late, so that only the best snapshot is known to be; ticks tell at their ends; losses
  /// are looked at in every step.
  private func lastGoodImages(_ alarms: [Watchdog.Alarm]) -> Int {
    alarms.map { alarm in
      switch alarm {
      case .notFinite: trainer.imagesSeen
      case .metricWorse: best?.imagesSeen ?? 0
      case .saturated, .penaltyExploded, .outputCollapsed: watchdog.goodUntil
      }
    }.min() ?? 0
  }
}
