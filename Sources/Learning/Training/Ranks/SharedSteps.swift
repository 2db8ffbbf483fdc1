import Distributed
import Snapshots
import Torch
import TorchNN

/// The part of a run that every rank executes: its slice of each step.
final class SharedSteps {
  /// The networks.
  let trainer: Trainer
  /// The report of `--resume`, a line each: tensors taken, and layers that are new.
  private(set) var resumed: [String] = []
  private let data: StepData
  private let inputs: StepInputs
  private let ranks: Ranks

  /// Opens the data and makes the networks.
  ///
  /// - Throws: `TrainingError.option` if data and options do not match.
  init(_ inputs: StepInputs) throws {
    self.inputs = inputs
    ranks = inputs.ranks
    data = try ranks.doing("opens the data") { try StepData(inputs) }
    trainer = Trainer(inputs)
  }

  /// Starts from the options' snapshot, if there is one.
  ///
  /// - Throws: `SnapshotError` or `TrainingError` if it does not fit.
  func resume() throws {
    guard let path = inputs.options.resume else { return }
    resumed = try ranks.doing("reads \(path)") {
      try trainer.start(from: NetworkSnapshot(path: path), inputs.options)
    }
  }

  /// This rank's slice of the next step.
  ///
  /// - Throws: `DatasetError` naming zip and entry of an image that cannot be read.
  func batch() throws -> TrainingBatch {
    try trainer.clock.measure("data") {
      try ranks.doing("reads images of the data") { try data.batch(at: trainer.imagesSeen) }
    }
  }

  /// Takes the step together with the other ranks.
  ///
  /// - Parameters:
  ///   - batch: This rank's slice.
  ///   - stops: Whether this rank was asked to stop.
  /// - Returns: The reports of all ranks, and whether any of them was asked to stop.
  /// - Throws: `RanksError` if a rank is gone; the networks are then invalid.
  func take(
    _ batch: TrainingBatch,
    stops: Bool
  ) throws -> (reports: [(name: String, values: [Double])], someoneStops: Bool) {
    let joined = ranks.joined(trainer.step(batch), stops: stops)
    // Before anything is recorded: all ranks have taken this step.
    try ranks.check()
    return joined
  }
}
