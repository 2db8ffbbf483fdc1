import Distributed
import Networks
import Torch
import TorchNN

extension Trainer {
  /// The gradients of the whole step: the mean over the rounds and the ranks.
  ///
  /// The running mean of w is averaged with them: each rank moved its copy toward its own images by a linear
  /// rule, so the mean of the copies equals the update by all images.
  ///
  /// - Parameters:
  ///   - sums: This rank's gradients, summed over the rounds; without the last round, if there is an exchange.
  ///   - exchange: The all-reduce that began in the last round, if any.
  /// - Returns: One gradient a parameter, equal on all ranks.
  func shared(_ sums: [Tensor], _ exchange: GradientExchange?) -> [Tensor] {
    let rounds = Double(configuration.rounds)
    let wAverage = generator.mapping.wAverage
    guard ranks.isShared else { return rounds > 1 ? sums.map { $0 / rounds } : sums }
    return clock.measure("exchange") {
      let means =
        exchange.map(ranks.finished)
        ?? ranks.means((rounds > 1 ? sums.map { $0 / rounds } : sums) + [wAverage])
      withoutGradients { wAverage.assign(means[means.count - 1]) }
      return Array(means.dropLast())
    }
  }
}
