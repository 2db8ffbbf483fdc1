package import Distributed
package import Torch
import TorchNN

/// The gradients of one phase for one batch.
package struct PhaseResult {
  /// One per parameter of the network in training, multiplied by the gain; none while an all-reduce is in
  /// flight.
  ///
  /// Zero where a loss does not depend on a parameter, as a regulariser on the last biases: in the
  /// original such a parameter takes a step too, which lets Adam's second moment decay.
  package var gradients: [Tensor]
  /// The values to record.
  package var reports: [(name: String, values: Tensor)]
  /// The images that the generator painted for the last loss, if any.
  package var generated: GeneratedBatch?
}

/// The sum of the gradients of one phase's losses, differentiated one after the other: each graph is freed
/// before the next is built.
package struct PhaseGradients {
  /// The values to record.
  package var reports: [(name: String, values: Tensor)] = []
  private let parameters: [Tensor]
  private let gain: Double
  private let exchange: StepExchange?
  private var sums: [Tensor?]

  /// No loss yet.
  ///
  /// - Parameters:
  ///   - parameters: The parameters of the network in training.
  ///   - gain: Factor on the losses.
  ///   - exchange: Takes the gradients while the last backward pass computes them.
  package init(of parameters: [Tensor], gain: Double, exchange: StepExchange? = nil) {
    self.parameters = parameters
    self.gain = gain
    self.exchange = exchange
    sums = .init(repeating: nil, count: parameters.count)
  }

  /// Differentiates a loss other than the last.
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
