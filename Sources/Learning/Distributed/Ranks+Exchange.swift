package import Torch

extension Ranks {
  /// An exchange of gradients that begins while they are computed.
  ///
  /// - Parameters:
  ///   - parameters: Of one type, on one device, of the same shapes on every rank.
  ///   - companion: A tensor whose mean is wanted with that of the gradients.
  /// - Returns: `nil` for a process alone, if `partBytes` is, and where gradients would have to be
  ///   brought to the host, for which the device would have to stop.
  package func exchange(
    of parameters: [Tensor],
    with companion: Tensor
  ) -> GradientExchange? {
    guard let group, let partBytes, isShared, !parameters.isEmpty else { return nil }
    guard companion.device == .cpu || group.usesNCCL(companion) else { return nil }
    return GradientExchange(
      group,
      parameters: parameters,
      companion: companion,
      partBytes: partBytes
    )
  }

  /// The means of gradients that were begun to be exchanged, and of their companion; equal on all
  /// ranks unless one of them is gone.
  package func finished(_ exchange: GradientExchange) -> [Tensor] {
    // Waiting for others is no hang of this rank.
    let (means, failure) = progress.doing(nil) { exchange.finish() }
    if self.failure == nil { self.failure = failure }
    return means
  }
}

/// The exchange of one phase's gradients, in the last of its rounds.
package struct StepExchange {
  private let exchange: GradientExchange
  private let ranks: Ranks
  private let before: [Tensor]
  private let rounds: Int

  /// Adds to what the rounds before gave.
  ///
  /// - Parameters:
  ///   - exchange: Of the network's parameters.
  ///   - ranks: Those who take part, unless they have lost each other.
  ///   - before: Sums of the earlier rounds, one a parameter; empty in the first.
  ///   - rounds: Number of rounds.
  package init(_ exchange: GradientExchange, _ ranks: Ranks, before: [Tensor], rounds: Int) {
    (self.exchange, self.ranks) = (exchange, ranks)
    (self.before, self.rounds) = (before, rounds)
  }

  /// Differentiates the last loss of a phase; the gradients go on their way.
  ///
  /// - Parameters:
  ///   - output: A scalar.
  ///   - within: Gradients of the phase's other losses, one a parameter, if any.
  package func begin(gradientsOf output: Tensor, within: [Tensor?]) {
    exchange.begin(
      gradientsOf: output,
      within: within,
      before: before,
      rounds: rounds,
      isCutOff: ranks.failure != nil
    )
  }
}
