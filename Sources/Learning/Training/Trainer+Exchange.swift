import Distributed
import Networks
import Torch
import TorchNN

extension Trainer {
  /// The gradients of the whole step: the mean over the rounds and the ranks.
  ///
  /// The running mean of w goes along: each rank moved its own copy toward its own images, by a
  /// linear rule, so that the mean of the copies is what all images together give.
  ///
  /// - Parameters:
  ///   - sums: This rank's gradients, summed over the rounds; of all but the last of them, if there is
  ///     an exchange.
  ///   - exchange: What began while the last round was computed.
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
