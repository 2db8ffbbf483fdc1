public import Torch

/// A nonlinearity with the gain that keeps a unit-variance signal near unit variance
/// (Karras et al., arXiv 1912.04958, section 2; He et al., arXiv 1502.01852).
public enum Activation: String, Codable, Sendable, CaseIterable {
  case linear
  case relu
  case leakyReLU = "lrelu"
  case tanh
  case sigmoid
  case elu
  case selu
  case softplus
  case swish

  /// What the result is multiplied by unless a layer says otherwise.
  public var defaultGain: Double {
    switch self {
    case .relu, .leakyReLU, .swish: 2.0.squareRoot()
    default: 1
    }
  }

  /// Slope of the negative side of what bends at zero only, `linear` and `leakyReLU`; of others `nil`.
  var slope: Double? {
    switch self {
    case .linear: 1
    case .leakyReLU: 0.2
    default: nil
    }
  }

  /// Applies the function itself, without gain.
  ///
  /// - Parameters:
  ///   - x: Any shape.
  ///   - slope: Slope of the negative side of `leakyReLU`; others ignore it.
  /// - Returns: The shape of `x`.
  public func callAsFunction(_ x: Tensor, slope: Double = 0.2) -> Tensor {
    switch self {
    case .linear: x
    case .relu: x.relu()
    case .leakyReLU: x.leakyReLU(slope)
    case .tanh: x.tanh()
    case .sigmoid: x.sigmoid()
    case .elu: x.elu()
    case .selu: x.selu()
    case .softplus: x.softplus()
    case .swish: x.silu()
    }
  }
}

/// clamp(gain · activation(x + bias)): the end of every layer of StyleGAN2.
///
/// - Parameters:
///   - x: [N, C, ...].
///   - bias: [C], added along dimension 1; `nil` adds nothing.
///   - activation: The nonlinearity.
///   - slope: Negative slope of a leaky ReLU; 0.2 if `nil`.
///   - gain: Multiplies the result; the activation's own gain if `nil`.
///   - clamp: Limits the result to ±clamp; `nil` does not limit.
/// - Returns: The shape of `x`.
public func biasActivation(
  _ x: Tensor,
  bias: Tensor? = nil,
  activation: Activation = .linear,
  slope: Double? = nil,
  gain: Double? = nil,
  clamp: Double? = nil
) -> Tensor {
  var x = x
  let gain = gain ?? activation.defaultGain
  if let bias, x.hasOwnKernels, let usual = activation.slope {
    return x.biasedLeakyReLU(
      bias,
      slope: activation == .linear ? 1 : slope ?? usual,
      gain: gain,
      limit: clamp ?? .infinity
    )
  }
  if let bias {
    let shape = [1, bias.count] + [Int](repeating: 1, count: x.rank - 2)
    x = x + bias.to(x.dtype).reshaped(shape)
  }
  x = activation(x, slope: slope ?? 0.2).scaled(by: gain)
  if let clamp { x = x.clamped(from: -clamp, to: clamp) }
  return x
}
