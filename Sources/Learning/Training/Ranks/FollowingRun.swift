package import Datasets
package import Distributed
package import Networks
package import Torch

/// A run as every rank but the first sees it: steps, and nothing on the disk.
package final class FollowingRun {
  /// The networks.
  package var trainer: Trainer { steps.trainer }
  private let steps: SharedSteps
  private let ranks: Ranks
  private let stop: StopRequest
  private let score: (Int, Generator) throws -> Void

  /// Opens the data and makes the networks; their state comes from rank 0.
  ///
  /// - Parameters:
  ///   - options: Everything about the run, as rank 0 has it.
  ///   - trainingSet: The data.
  ///   - clip: Input size in pixels and image tower of the CLIP that judges generated images.
  ///   - textMapper: Makes pseudo-text features; noise does if `nil`.
  ///   - device: Where to compute.
  ///   - ranks: The processes that share each step.
  ///   - score: Does this rank's part of looking at images, of the averaged generator or others: what
  ///     has that number.
  ///   - stop: Asks the run to end early.
  /// - Throws: `TrainingError.option` where data and options do not fit.
  package init(
    options: TrainingOptions,
    trainingSet: TrainingSet,
    clip: (side: Int, encodeImage: (Tensor) -> Tensor),
    textMapper: TextMapper? = nil,
    device: Device,
    ranks: Ranks,
    score: @escaping (Int, Generator) throws -> Void = { _, _ in },
    stop: StopRequest = StopRequest()
  ) throws {
    precondition(ranks.rank > 0, "rank 0 leads")
    self.ranks = ranks
    self.stop = stop
    self.score = score
    steps = try SharedSteps(
      options,
      trainingSet,
      clip: clip,
      textMapper: textMapper,
      device: device,
      ranks: ranks
    )
  }

  /// Does what rank 0 says until it says that the run is over.
  ///
  /// - Throws: `RanksError` if another rank is gone, or an error of this rank.
  package func run() throws -> RunEnding {
    do {
      try ranks.meet()
      while true {
        switch try ranks.nextCommand() {
        case .step: try step()
        case .wait: try ranks.waitForFirst()
        case .score:
          let job = try ranks.scoredJob()
          try withoutGradients { try score(job, trainer.average) }
        case .state: try ranks.receiveState(of: trainer)
        case .finish: return .finished
        case .interrupt: return .interrupted
        }
      }
    } catch {
      // Whoever was asked to stop loses the others without surprise.
      if stop.isRequested, error is RanksError { return .interrupted }
      throw error
    }
  }

  private func step() throws {
    _ = try steps.take(steps.batch(), stops: stop.isRequested)
    // The times that count are rank 0's.
    _ = trainer.clock.takeSpans()
  }
}
