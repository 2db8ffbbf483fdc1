import Distributed
import Files
import Foundation
import Torch

extension TrainingRun {
  /// What a checkpoint of this moment keeps beside the tensors.
  var state: RunState {
    var tick = tick
    tick.seconds += tickStart.secondsAgo
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
      checkpointIsDue || lastCheckpoint.secondsAgo >= options.checkpointSeconds
    if isDue, !writer.isBusy { try beginCheckpoint() }
  }

  /// Copies the state and has it written in the background, after the checkpoint before.
  func beginCheckpoint() throws {
    checkpointIsDue = false
    lastCheckpoint = .now
    writer.wait()
    // A checkpoint speaks of lines: those that wait for room come first.
    do { try log.flush() } catch {
      observe(.line("\(error) (no checkpoint now; training goes on)"))
      return
    }
    let tensors = trainer.stateTensors.map { HostTensor($0.name, $0.tensor) }
    secondsStalled += lastCheckpoint.secondsAgo
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
    try stop.leavingAtOnce(
      after: { [writer] in writer.wait() },
      {
        try withoutGradients { try body() }
      }
    )
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

  /// Takes over a checkpoint's state, and cuts off what was logged after it; not what was said, if told
  /// so.
  func adopt(_ checkpoint: Checkpoint, keepingWords: Bool = false) throws {
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
    var sizes = state.logs
    if keepingWords { sizes["log.txt"] = log.sizes["log.txt"] }
    for line in try log.cut(to: sizes, imagesSeen: images) { observe(.line(line)) }
  }

  func kimg(_ images: Int) -> String { String(format: "%.3f", Double(images) / 1000) }

  private func announceCheckpoints() throws {
    for case .failed(let images, let reason) in writer.takeOutcomes() {
      try say(
        "no checkpoint at \(kimg(images)) kimg: \(reason) (training goes on; the checkpoint before "
          + "stays)"
      )
    }
  }
}

/// What a process returns that was asked to stop and can be continued: `EX_TEMPFAIL` of sysexits.h.
package let exitStatusOfInterruption: Int32 = 75
