import Datasets
import Distributed
import Networks
import Torch

/// What every rank of a run does: its share of each step.
final class SharedSteps {
  /// The networks.
  let trainer: Trainer
  private let data: StepData
  private let ranks: Ranks

  /// Opens the data and makes the networks.
  ///
  /// - Parameters:
  ///   - options: Everything about the run, equal on all ranks.
  ///   - trainingSet: The data.
  ///   - clip: Input size in pixels and image tower of the CLIP that judges generated images.
  ///   - textMapper: Makes pseudo-text features; noise does if `nil`.
  ///   - device: Where to compute.
  ///   - ranks: The processes that share each step.
  /// - Throws: `TrainingError.option` where data and options do not fit.
  init(
    _ options: TrainingOptions,
    _ trainingSet: TrainingSet,
    clip: (side: Int, encodeImage: (Tensor) -> Tensor),
    textMapper: TextMapper?,
    device: Device,
    ranks: Ranks
  ) throws {
    self.ranks = ranks
    data = try ranks.doing("opens the data") {
      try StepData(
        trainingSet,
        options,
        textMapper: textMapper,
        ranks: ranks,
        device: device
      )
    }
    trainer = Trainer(
      options.trainer,
      device: device,
      clipSide: clip.side,
      encodeImage: clip.encodeImage,
      textMapper: textMapper,
      ranks: ranks
    )
  }

  /// This rank's share of the next step.
  ///
  /// - Throws: `DatasetError` naming zip and entry of an image that cannot be read.
  func batch() throws -> TrainingBatch {
    try trainer.clock.measure("data") {
      try ranks.doing("reads images of the data") { try data.batch(at: trainer.imagesSeen) }
    }
  }

  /// Takes the step with all others.
  ///
  /// - Parameters:
  ///   - batch: This rank's share.
  ///   - stops: Whether this rank was asked to stop.
  /// - Returns: The reports of all ranks, and whether any of them was asked to stop.
  /// - Throws: `RanksError` if a rank is gone; the networks are of no use then.
  func take(
    _ batch: TrainingBatch,
    stops: Bool
  ) throws -> (reports: [(name: String, values: [Double])], someoneStops: Bool) {
    let joined = ranks.joined(trainer.step(batch), stops: stops)
    // Before anything is believed or written: all have taken this step.
    try ranks.check()
    return joined
  }
}
