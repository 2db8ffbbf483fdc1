import Foundation
public import Torch

/// Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1), with optional decoupled weight decay (AdamW,
/// arXiv 1711.05101).
///
/// Every parameter has its own step count: one without a gradient in a step stays unchanged and is not
/// counted, as in PyTorch.
public final class Adam {
  /// Step size and averaging constants.
  public struct Configuration: Codable, Equatable, Sendable {
    /// Step size, α.
    public var learningRate: Double
    /// Decay of the first moment, β₁.
    public var beta1: Double
    /// Decay of the second moment, β₂.
    public var beta2: Double
    /// Added to the root of the second moment, ε.
    public var epsilon: Double
    /// Decoupled weight decay; 0 turns it off.
    public var weightDecay: Double

    /// A configuration.
    public init(
      learningRate: Double,
      beta1: Double = 0.9,
      beta2: Double = 0.999,
      epsilon: Double = 1e-8,
      weightDecay: Double = 0
    ) {
      self.learningRate = learningRate
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }

    /// The constants for a loss that is split into a main part each step and a regulariser every
    /// `interval` steps, both through this optimiser (Karras et al., arXiv 1912.04958, appendix B,
    /// "lazy regularization"): with r = interval / (interval + 1), α·r and β^r.
    public func lazy(interval: Int?) -> Configuration {
      guard let interval else { return self }
      let ratio = Double(interval) / Double(interval + 1)
      var result = self
      result.learningRate = learningRate * ratio
      result.beta1 = pow(beta1, ratio)
      result.beta2 = pow(beta2, ratio)
      return result
    }
  }

  /// The constants in use; the learning rate may be changed between steps.
  public var configuration: Configuration
  /// The optimised parameters.
  public let parameters: [Tensor]
  /// First moments, one a parameter.
  public let firstMoments: [Tensor]
  /// Second moments, one a parameter.
  public let secondMoments: [Tensor]
  /// Steps taken, one float32 scalar a parameter.
  public let steps: [Tensor]
  /// Factors on the learning rate, one a parameter.
  public let learningRateFactors: [Double]
  /// The distinct factors: one fused step each.
  private let factors: [Double]

  /// An optimiser with empty moments.
  ///
  /// - Parameters:
  ///   - parameters: The parameters to optimise.
  ///   - configuration: The constants.
  ///   - learningRateFactors: Factors on the learning rate, one a parameter; 1 if not given.
  public init(
    _ parameters: [Tensor],
    _ configuration: Configuration,
    learningRateFactors: [Double]? = nil
  ) {
    let factors = learningRateFactors ?? .init(repeating: 1, count: parameters.count)
    precondition(
      factors.count == parameters.count,
      "\(factors.count) factors for \(parameters.count) parameters"
    )
    self.learningRateFactors = factors
    self.factors = Set(factors).sorted()
    self.parameters = parameters
    self.configuration = configuration
    let host = parameters.map { $0.detached() }
    firstMoments = host.map { Tensor.zeros(like: $0) }
    secondMoments = host.map { Tensor.zeros(like: $0) }
    steps = host.map { Tensor(scalar: 0).to($0.device) }
  }

  /// Updates the parameters by one step.
  ///
  /// - Parameter gradients: One a parameter, `nil` where it was not computed.
  public func step(_ gradients: [Tensor?]) {
    precondition(
      gradients.count == parameters.count,
      "\(gradients.count) gradients for \(parameters.count) parameters"
    )
    let active = gradients.indices.filter { gradients[$0] != nil }
    withoutGradients {
      Tensor.increment(active.map { steps[$0] }, by: 1)
      for factor in factors {
        let group = active.filter { learningRateFactors[$0] == factor }
        if !group.isEmpty { step(group, gradients, factor: factor) }
      }
    }
  }

  private func step(_ group: [Int], _ gradients: [Tensor?], factor: Double) {
    Tensor.adamStep(
      parameters: group.map { parameters[$0] },
      gradients: group.compactMap { gradients[$0]?.contiguous() },
      firstMoments: group.map { firstMoments[$0] },
      secondMoments: group.map { secondMoments[$0] },
      steps: group.map { steps[$0] },
      learningRate: configuration.learningRate * factor,
      betas: (configuration.beta1, configuration.beta2),
      epsilon: configuration.epsilon,
      weightDecay: configuration.weightDecay
    )
  }
}
