import Foundation
public import Torch

/// x · Wᵀ + b.
public final class Linear: Module {
  /// [out, in].
  @Parameter public var weight: Tensor
  private let bias: Parameter?

  /// Weights from N(0, gain/√in), bias zero.
  public init(
    _ inputs: Int,
    _ outputs: Int,
    bias: Bool = true,
    gain: Double = 1,
    random: any RandomSource
  ) {
    _weight = Parameter(
      wrappedValue: random.normal(
        [outputs, inputs],
        deviation: 1 / Double(inputs).squareRoot(),
        gain: gain
      )
    )
    self.bias = bias ? Parameter(wrappedValue: .zeros([outputs])) : nil
  }

  /// - Parameter x: [..., in].
  /// - Returns: [..., out].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.linear(weight.to(x.dtype), bias: bias?.wrappedValue.to(x.dtype))
  }
}

/// Layer normalisation over the last dimension (Ba et al., arXiv 1607.06450).
public final class LayerNorm: Module {
  /// [width].
  @Parameter public var weight: Tensor
  /// [width].
  @Parameter public var bias: Tensor
  private let epsilon: Double

  /// Starts as the identity after normalisation.
  public init(_ width: Int, epsilon: Double = 1e-5) {
    _weight = Parameter(wrappedValue: .ones([width]))
    _bias = Parameter(wrappedValue: .zeros([width]))
    self.epsilon = epsilon
  }

  /// - Parameter x: [..., width].
  /// - Returns: [..., width].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNormalized(weight: weight.to(x.dtype), bias: bias.to(x.dtype), epsilon: epsilon)
  }
}

/// A plain two-dimensional convolution.
public final class Convolution2d: Module {
  /// [out, in / groups, k, k].
  @Parameter public var weight: Tensor
  private let bias: Parameter?
  private let stride: Int
  private let padding: Int
  private let groups: Int

  /// Weights from N(0, √(2 / fan-in)) (He et al., arXiv 1502.01852), bias zero.
  public init(
    _ inputs: Int,
    _ outputs: Int,
    kernel: Int,
    stride: Int = 1,
    padding: Int = 0,
    groups: Int = 1,
    bias: Bool = true,
    random: any RandomSource
  ) {
    let fanIn = Double(inputs / groups * kernel * kernel)
    _weight = Parameter(
      wrappedValue: random.normal(
        [outputs, inputs / groups, kernel, kernel],
        deviation: (2 / fanIn).squareRoot()
      )
    )
    self.bias = bias ? Parameter(wrappedValue: .zeros([outputs])) : nil
    self.stride = stride
    self.padding = padding
    self.groups = groups
  }

  /// - Parameters:
  ///   - x: [N, in, H, W].
  ///   - factor: Multiplies the weights of each output, [out], if any.
  /// - Returns: [N, out, H', W'].
  public func callAsFunction(_ x: Tensor, weightFactor factor: Tensor? = nil) -> Tensor {
    let scaled = factor.map { weight * $0.reshaped(-1, 1, 1, 1) } ?? weight
    return x.convolved(
      scaled.to(x.dtype),
      bias: bias?.wrappedValue.to(x.dtype),
      stride: stride,
      padding: [padding, padding],
      groups: groups
    )
  }
}

/// Batch normalisation of images (Ioffe & Szegedy, arXiv 1502.03167).
public final class BatchNorm2d: Module {
  /// [C].
  @Parameter public var weight: Tensor
  /// [C].
  @Parameter public var bias: Tensor
  /// [C].
  @Buffer public var runningMean: Tensor
  /// [C].
  @Buffer public var runningVar: Tensor
  private let epsilon: Double

  /// Starts as the identity.
  public init(_ channels: Int, epsilon: Double = 1e-5) {
    _weight = Parameter(wrappedValue: .ones([channels]))
    _bias = Parameter(wrappedValue: .zeros([channels]))
    _runningMean = Buffer(wrappedValue: .zeros([channels]))
    _runningVar = Buffer(wrappedValue: .ones([channels]))
    self.epsilon = epsilon
  }

  /// - Parameters:
  ///   - x: [N, C, H, W].
  ///   - training: Uses and averages the batch's own statistics.
  /// - Returns: [N, C, H, W].
  public func callAsFunction(_ x: Tensor, training: Bool = false) -> Tensor {
    x.batchNormalized(
      weight: weight,
      bias: bias,
      mean: runningMean,
      variance: runningVar,
      training: training,
      epsilon: epsilon
    )
  }

  /// max(0, this layer's result for the convolution of `x`), by the running statistics, which are folded into
  /// the convolution's weight: the image is passed over once.
  ///
  /// - Parameters:
  ///   - x: [N, in, H, W].
  ///   - convolution: The layer before this one, without bias.
  /// - Returns: [N, C, H', W'].
  public func rectified(_ x: Tensor, convolution: Convolution2d) -> Tensor {
    let factor = weight * (runningVar + epsilon).reciprocalSquareRoot()
    let shift = bias - runningMean * factor
    let y = convolution(x, weightFactor: factor)
    guard y.hasOwnKernels else { return (y + shift.to(y.dtype).reshaped(1, -1, 1, 1)).relu() }
    return y.biasedLeakyReLU(shift, slope: 0, gain: 1, limit: .infinity)
  }
}
