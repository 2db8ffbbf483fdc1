package import Distributed
package import Torch
import TorchNN

/// The gradients of one phase for one batch.
package struct PhaseResult {
  /// One a parameter of the network in training, already multiplied by the gain; none while an
  /// all-reduce is in flight.
  ///
  /// Zero where a loss does not depend on a parameter, as a regulariser on the last biases: in the
  /// original such a parameter takes a step too, which lets Adam's second moment decay.
  package var gradients: [Tensor]
  /// Numbers worth recording.
  package var reports: [(name: String, values: Tensor)]
  /// What the last loss's generator painted, if it did.
  package var generated: GeneratedBatch?
}

/// The sum of the gradients of one phase's losses, which are differentiated one after the other: the
/// graph of one is gone before the next is made.
package struct PhaseGradients {
  /// Numbers worth recording.
  package var reports: [(name: String, values: Tensor)] = []
  private let parameters: [Tensor]
  private let gain: Double
  private let exchange: StepExchange?
  private var sums: [Tensor?]

  /// No loss yet.
  ///
  /// - Parameters:
  ///   - parameters: Those of the network in training.
  ///   - gain: Factor on the losses.
  ///   - exchange: Takes the gradients while the last backward pass computes them.
  package init(of parameters: [Tensor], gain: Double, exchange: StepExchange? = nil) {
    self.parameters = parameters
    self.gain = gain
    self.exchange = exchange
    sums = .init(repeating: nil, count: parameters.count)
  }

  /// Differentiates a loss that others follow.
  package mutating func add(_ loss: LossValue) {
    reports += loss.reports
    let new = gradients(of: [loss.total * gain], withRespectTo: parameters)
    for index in parameters.indices {
      guard let gradient = new[index] else { continue }
      sums[index] = sums[index].map { $0 + gradient } ?? gradient
    }
  }

  /// Differentiates the last loss.
  package mutating func finish(_ loss: LossValue) -> PhaseResult {
    if let exchange {
      reports += loss.reports
      exchange.begin(gradientsOf: loss.total * gain, within: sums)
      return PhaseResult(gradients: [], reports: reports, generated: loss.generated)
    }
    add(loss)
    return PhaseResult(
      gradients: zip(sums, parameters).map { $0 ?? .zeros(like: $1.detached()) },
      reports: reports,
      generated: loss.generated
    )
  }
}
