import Distributed
package import Networks
import Torch

/// A run on any rank but the first: steps, and nothing on the disk.
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
  ///   - inputs: The inputs of the steps, with rank 0's options.
  ///   - score: Computes this rank's batches of the metric of that number.
  ///   - stop: Asks the run to end early.
  /// - Throws: `TrainingError.option` if data and options do not match.
  package init(
    _ inputs: StepInputs,
    score: @escaping (Int, Generator) throws -> Void = { _, _ in },
    stop: StopRequest = StopRequest()
  ) throws {
    ranks = inputs.ranks
    precondition(ranks.rank > 0, "rank 0 leads")
    self.stop = stop
    self.score = score
    steps = try SharedSteps(inputs)
  }

  /// Executes rank 0's commands until the run is over.
  ///
  /// - Throws: `RanksError` if another rank is gone, or an error of this rank.
  package func run() throws -> RunEnding {
    do {
      try ranks.barrier()
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
      // After a request to stop, the others may be gone already.
      if stop.isRequested, error is RanksError { return .interrupted }
      throw error
    }
  }

  private func step() throws {
    _ = try steps.take(steps.batch(), stops: stop.isRequested)
    // Rank 0 records the times.
    _ = trainer.clock.takeSpans()
  }
}
