package import Torch

extension Ranks {
  /// An all-reduce of gradients that overlaps the backward pass.
  ///
  /// - Parameters:
  ///   - parameters: Of one type, on one device, of the same shapes on every rank.
  ///   - companion: A tensor that is averaged with the gradients.
  /// - Returns: `nil` for a single process, without `bucketBytes`, and where gradients would pass
  ///   through the host, which would stall the device.
  package func exchange(
    of parameters: [Tensor],
    with companion: Tensor
  ) -> GradientExchange? {
    guard let group, let bucketBytes, isShared, !parameters.isEmpty else { return nil }
    guard companion.device == .cpu || group.usesNCCL(companion) else { return nil }
    return GradientExchange(
      group,
      parameters: parameters,
      companion: companion,
      bucketBytes: bucketBytes
    )
  }

  /// Waits for an exchange: the averaged gradients and companion, equal on all ranks unless one is
  /// gone.
  package func finished(_ exchange: GradientExchange) -> [Tensor] {
    // Waiting for others is no hang of this rank.
    let (means, failure) = hangDetector.doing(nil) { exchange.finish() }
    if self.failure == nil { self.failure = failure }
    return means
  }
}

/// The all-reduce of one phase's gradients, in the last of its rounds.
package struct StepExchange {
  private let exchange: GradientExchange
  private let ranks: Ranks
  private let before: [Tensor]
  private let rounds: Int

  /// Accumulates on top of the earlier rounds.
  ///
  /// - Parameters:
  ///   - exchange: Of the network's parameters.
  ///   - ranks: The ranks; after a failure the gradients stay local.
  ///   - before: Sums of the earlier rounds, one a parameter; empty in the first.
  ///   - rounds: Number of rounds.
  package init(_ exchange: GradientExchange, _ ranks: Ranks, before: [Tensor], rounds: Int) {
    (self.exchange, self.ranks) = (exchange, ranks)
    (self.before, self.rounds) = (before, rounds)
  }

  /// Runs the last backward pass of a phase and starts the all-reduce of its gradients.
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
