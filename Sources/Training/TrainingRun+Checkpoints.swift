import Files
import Foundation
import Torch

extension TrainingRun {
  /// What a checkpoint of this moment keeps beside the tensors.
  var state: RunState {
    var tick = tick
    tick.seconds += Date().timeIntervalSince(tickStart)
    return RunState(
      seed: options.trainer.seed,
      imageCount: options.imageCount,
      trainer: trainer.progress,
      tick: tick,
      seconds: seconds,
      logs: log.sizes,
      unscored: unscored,
      best: best,
      lastScore: lastScore,
      watchdog: watchdog
    )
  }

  /// Begins a checkpoint where its time has come; a slow disk delays the next one.
  func writeCheckpointIfDue() throws {
    try announceCheckpoints()
    let isDue =
      checkpointIsDue || Date().timeIntervalSince(lastCheckpoint) >= options.checkpointSeconds
    if isDue, !writer.isBusy { try beginCheckpoint() }
  }

  /// Copies the state and has it written in the background; nothing else may be under way.
  func beginCheckpoint() throws {
    checkpointIsDue = false
    lastCheckpoint = Date()
    // A checkpoint speaks of lines: those that wait for room come first.
    do { try log.flush() } catch {
      observe(.line("\(error) (no checkpoint now; training goes on)"))
      return
    }
    let tensors = trainer.stateTensors.map { HostTensor($0.name, $0.tensor) }
    secondsStalled += Date().timeIntervalSince(lastCheckpoint)
    writer.begin(state, tensors)
  }

  /// Writes a checkpoint and waits for it.
  func writeLastCheckpoint() throws {
    if trainer.imagesSeen > firstImageOfSession { try finishProfile() }
    writer.wait()
    _ = writer.takeOutcomes()
    try log.flush()
    try beginCheckpoint()
    writer.wait()
    for case .failed(_, let reason) in writer.takeOutcomes() {
      throw TrainingError.stopped("the last checkpoint could not be written: \(reason)")
    }
  }

  /// Ends the session so that another one can go on.
  func leave() throws {
    try writeLastCheckpoint()
    observe(
      .line(
        "stopped at \(kimg(trainer.imagesSeen)) kimg; "
          + "go on with: nifty train --continue \(folder.path)"
      )
    )
  }

  /// Runs what may be cut short: the state before it is on the disk.
  func scoring<Result>(_ body: () throws -> Result) throws -> Result {
    try stop.leavingAtOnce(after: { [writer] in writer.wait() }) {
      try withoutGradients { try body() }
    }
  }

  /// Goes on from the newest undamaged checkpoint of the folder; begins anew in a folder whose run was
  /// killed before its first one.
  func restore() throws {
    var damage: [String] = []
    if let found = try checkpoints.newest(onDamage: { damage.append($0) }) {
      try adopt(found)
      for line in damage { try say(line) }
      try say("continued at \(kimg(trainer.imagesSeen)) kimg")
      return
    }
    if let reason = damage.first {
      throw TrainingError.checkpoint(
        "\(folder.path) holds no checkpoint to go on from: \(reason); start a new run, with --resume "
          + "from one of its snapshots"
      )
    }
    if let resume = options.resume { try Self.resume(trainer, from: resume) }
    _ = try log.cut(to: [:], imagesSeen: 0)
    try say("begun anew: there is no checkpoint yet")
  }

  /// Takes over a checkpoint's state, and cuts off what was logged after it.
  private func adopt(_ checkpoint: Checkpoint) throws {
    let state = checkpoint.state
    guard state.seed == options.trainer.seed, state.imageCount == options.imageCount else {
      throw TrainingError.checkpoint(
        "\(folder.path) was trained on \(state.imageCount) images with seed \(state.seed), not on "
          + "\(options.imageCount) with seed \(options.trainer.seed): its data has changed"
      )
    }
    do {
      try trainer.restore(state.trainer) { checkpoint.tensors[$0] }
    } catch {
      throw TrainingError.checkpoint("\(checkpoint.tensors.path) does not fit the run: \(error)")
    }
    tick = state.tick
    best = state.best
    lastScore = state.lastScore
    watchdog = state.watchdog
    unscored = state.unscored
    secondsBefore = state.seconds
    let images = state.trainer.imagesSeen
    try checkpoints.removeAll(after: images)
    for line in try log.cut(to: state.logs, imagesSeen: images) { observe(.line(line)) }
  }

  private func announceCheckpoints() throws {
    for case .failed(let images, let reason) in writer.takeOutcomes() {
      try say(
        "no checkpoint at \(kimg(images)) kimg: \(reason) (training goes on; the checkpoint before "
          + "stays)"
      )
    }
  }
}

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
    let limit = lastGoodImages(alarms)
    let found = try checkpoints.newest(
      where: { $0.watchdog.isHealthy && $0.trainer.imagesSeen <= limit },
      onDamage: { observe(.line($0)) }
    )
    guard let found else {
      throw TrainingError.diverged("\(place); there is no good checkpoint to go back to")
    }
    let (factor, spent) = (trainer.learningRateFactor / 2, seconds)
    try adopt(found)
    secondsBefore = spent
    trainer.learningRateFactor = factor
    watchdog.rollbacks = rollbacks
    (sessionStart, tickStart) = (Date(), Date())
    firstImageOfSession = trainer.imagesSeen
    board = Board(in: folder, imagesSeen: trainer.imagesSeen)
    try say(
      "\(place); back to \(kimg(trainer.imagesSeen)) kimg with \(factor) times the learning rates"
    )
    if let unscored { try score(unscored) }
    checkpointIsDue = true
    stateWasReplaced = true
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

  func kimg(_ images: Int) -> String { String(format: "%.3f", Double(images) / 1000) }
}

/// What a process returns that was asked to stop and can be continued: `EX_TEMPFAIL` of sysexits.h.
package let exitStatusOfInterruption: Int32 = 75
