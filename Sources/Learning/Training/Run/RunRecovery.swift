import Torch

/// Saves a run's state to checkpoints, and restores it from them.
final class RunRecovery {
  private let inputs: StepInputs
  private let run: RunHelpers

  /// - Parameters:
  ///   - inputs: Options and data of the run.
  ///   - run: The helpers, whose state is saved.
  init(_ inputs: StepInputs, _ run: RunHelpers) { (self.inputs, self.run) = (inputs, run) }

  /// Begins a checkpoint if one is due.
  func checkpointIfDue() throws { try run.checkpoints.beginIfDue({ state }, run.trainer) }

  /// Begins the first checkpoint of the run.
  func firstCheckpoint() throws { try run.checkpoints.beginFirst({ state }, run.trainer) }

  /// Begins a checkpoint.
  func checkpoint() { run.checkpoints.begin({ state }, run.trainer) }

  /// Writes a checkpoint and waits for it.
  ///
  /// - Throws: If it could not be written.
  func writeLastCheckpoint() throws {
    if run.clock.hasTrained(run.trainer.imagesSeen) { try run.report.finishProfile() }
    try run.checkpoints.writeLast({ state }, run.trainer)
  }

  /// Continues from the newest undamaged checkpoint of the folder; starts over if the run was killed before
  /// its first one.
  ///
  /// - Parameter start: Resets the networks to the run's start.
  /// - Throws: `TrainingError.checkpoint` if all checkpoints are damaged, or it is of another run.
  func restore(orBegin start: () throws -> Void) throws {
    let (found, damage) = try run.checkpoints.newest()
    if let found {
      try adopt(found)
      for line in damage { try run.report.log(line) }
      try run.report.log("continued at \(kimg(run.trainer.imagesSeen)) kimg")
      return
    }
    if let reason = damage.first {
      throw TrainingError.checkpoint(
        "\(run.folder.path) holds no checkpoint to go on from: \(reason); start a new run, with --resume "
          + "from one of its snapshots"
      )
    }
    try start()
    try run.report.adopt(nil)
    try run.report.log("begun anew: there is no checkpoint yet")
  }

  /// Restores a checkpoint's state, and truncates the logs to it.
  ///
  /// - Parameters:
  ///   - checkpoint: The checkpoint.
  ///   - keepsLog: Whether the log keeps its lines.
  /// - Throws: `TrainingError.checkpoint` if it is of another run or other data.
  func adopt(_ checkpoint: Checkpoint, keepingLog keepsLog: Bool = false) throws {
    let state = checkpoint.state
    try expectSameData(state)
    do {
      try run.trainer.restore(state.trainer) { checkpoint.tensors[$0] }
    } catch {
      throw TrainingError.checkpoint("\(checkpoint.tensors.path) does not fit the run: \(error)")
    }
    run.snapshots.adopt(state)
    run.watch.adopt(state)
    run.clock.adopt(state.seconds)
    try run.checkpoints.removeAll(after: state.trainer.imagesSeen)
    try run.report.adopt(state, keepingLog: keepsLog)
  }

  private func expectSameData(_ state: RunState) throws {
    let options = inputs.options
    guard state.seed == options.trainer.seed, state.imageCount == options.imageCount else {
      throw TrainingError.checkpoint(
        "\(run.folder.path) was trained on \(state.imageCount) images with seed \(state.seed), not on "
          + "\(options.imageCount) with seed \(options.trainer.seed): its data has changed"
      )
    }
    if let known = state.data,
      let changed = zip(known, inputs.dataIdentity).first(where: { $0 != $1 })
    {
      throw TrainingError.checkpoint(
        "\(run.folder.path) was trained on other data: \(changed.1.path) has changed since; start a new run, "
          + "with --resume from one of its snapshots"
      )
    }
    if let known = state.files, let changed = zip(known, inputs.files).first(where: { $0 != $1 }) {
      throw TrainingError.checkpoint(
        "\(run.folder.path) was trained with another \(changed.1.option): \(changed.1.path) has changed since; put "
          + "it back, or start a new run with --resume from one of its snapshots"
      )
    }
  }

  /// The state that a checkpoint keeps beside the tensors.
  private var state: RunState {
    var tick = run.report.tick
    tick.seconds += run.clock.secondsOfTick
    return RunState(
      seed: inputs.options.trainer.seed,
      imageCount: inputs.options.imageCount,
      data: inputs.dataIdentity,
      files: inputs.files,
      trainer: run.trainer.progress,
      tick: tick,
      seconds: run.clock.seconds,
      logs: run.report.sizes,
      unscored: run.snapshots.unscored,
      best: run.snapshots.best,
      snapshots: (run.snapshots.written, run.snapshots.prefersLarge),
      lastScore: run.snapshots.lastScore,
      watchdog: run.watch.watchdog
    )
  }
}
