package import Datasets
package import Networks
package import Torch

/// A run as every rank but the first sees it: steps, and nothing on the disk.
package final class FollowingRun {
  /// The networks.
  package let trainer: Trainer
  private let data: StepData
  private let ranks: Ranks
  private let stop: StopRequest

  /// Opens the data and makes the networks; their state comes from rank 0.
  ///
  /// - Parameters:
  ///   - options: Everything about the run, as rank 0 has it.
  ///   - trainingSet: The data.
  ///   - clip: Input size in pixels and image tower of the CLIP that judges generated images.
  ///   - textMapper: Makes pseudo-text features; noise does if `nil`.
  ///   - device: Where to compute.
  ///   - ranks: The processes that share each step.
  ///   - stop: Asks the run to end early.
  /// - Throws: `TrainingError.option` where data and options do not fit.
  package init(
    options: TrainingOptions,
    trainingSet: TrainingSet,
    clip: (side: Int, encodeImage: (Tensor) -> Tensor),
    textMapper: TextMapper? = nil,
    device: Device,
    ranks: Ranks,
    stop: StopRequest = StopRequest()
  ) throws {
    precondition(ranks.rank > 0, "rank 0 leads")
    self.ranks = ranks
    self.stop = stop
    data = try StepData(
      trainingSet,
      options,
      textMapper: textMapper,
      ranks: ranks,
      device: device
    )
    trainer = Trainer(
      options.trainer,
      device: device,
      clipSide: clip.side,
      encodeImage: clip.encodeImage,
      textMapper: textMapper,
      ranks: ranks
    )
  }

  /// Does what rank 0 says until it says that the run is over.
  ///
  /// - Throws: `TrainingError.ranks` if another rank is gone, or an error of this rank, which the
  ///   others are told.
  package func run() throws -> RunEnding {
    do {
      while true {
        switch try ranks.nextCommand() {
        case .step: try step()
        case .wait: try ranks.waitForFirst()
        case .state: try ranks.receiveState(of: trainer)
        case .finish: return .finished
        case .interrupt: return .interrupted
        }
      }
    } catch {
      // Whoever was asked to stop loses the others without surprise.
      if stop.isRequested, case TrainingError.ranks = error { return .interrupted }
      ranks.publish("\(error)")
      throw error
    }
  }

  private func step() throws {
    let batch = try data.batch(at: trainer.imagesSeen)
    _ = ranks.joined(trainer.step(batch), stops: stop.isRequested)
    // The times that count are rank 0's.
    _ = trainer.clock.takeSpans()
    try ranks.check()
  }
}
