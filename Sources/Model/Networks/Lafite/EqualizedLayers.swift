public import Torch
public import TorchNN

/// A fully connected layer whose weights are stored with unit variance and scaled in use
/// (equalised learning rate: Karras et al., arXiv 1710.10196, section 4.1).
public final class FullyConnectedLayer: Module {
  /// [out, in]; used as weight · multiplier / √in.
  @Parameter public var weight: Tensor
  private let bias: Parameter?
  private let activation: Activation
  private let learningRateMultiplier: Double
  private let weightGain: Double

  /// A layer with weights from N(0, 1 / multiplier²).
  ///
  /// - Parameters:
  ///   - inputs: Features in.
  ///   - outputs: Features out.
  ///   - bias: Whether there is a bias.
  ///   - activation: Applied with its gain.
  ///   - learningRateMultiplier: Relative learning rate of this layer.
  ///   - biasInit: First value of the bias, before the multiplier.
  ///   - random: Draws the weights.
  public init(
    _ inputs: Int,
    _ outputs: Int,
    bias: Bool = true,
    activation: Activation = .linear,
    learningRateMultiplier: Double = 1,
    biasInit: Double = 0,
    random: any RandomSource
  ) {
    _weight = Parameter(wrappedValue: random.normal([outputs, inputs]) / learningRateMultiplier)
    self.bias = bias ? Parameter(wrappedValue: .full([outputs], biasInit)) : nil
    self.activation = activation
    self.learningRateMultiplier = learningRateMultiplier
    weightGain = learningRateMultiplier / Double(inputs).squareRoot()
  }

  /// Runs the layer.
  ///
  /// - Parameter x: [N, in].
  /// - Returns: [N, out] in the type of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let scaled = weight.to(x.dtype) * weightGain
    let offset = bias.map { $0.wrappedValue.to(x.dtype).scaled(by: learningRateMultiplier) }
    guard let offset, activation == .linear else {
      return biasActivation(x.linear(scaled), bias: offset, activation: activation)
    }
    return x.linear(scaled, bias: offset)
  }
}

/// A convolution with equalised learning rate, resampling and activation.
public final class ConvolutionLayer: Module {
  /// [out, in, k, k]; used as weight / √(in · k²).
  @Parameter public var weight: Tensor
  private let bias: Parameter?
  /// The low-pass filter, [4, 4]; stored by every layer as LAFITE does.
  @Buffer public var resampleFilter: Tensor
  private let activation: Activation
  private let up: Int
  private let down: Int
  private let clamp: Double?
  private let weightGain: Double
  private let isTrained: Bool

  /// A layer with weights from N(0, 1) that keeps, doubles or halves the image.
  ///
  /// A layer that is not trained keeps its weights as buffers.
  public init(
    _ inputs: Int,
    _ outputs: Int,
    kernel: Int,
    bias: Bool = true,
    activation: Activation = .linear,
    up: Int = 1,
    down: Int = 1,
    clamp: Double? = nil,
    isTrained: Bool = true,
    random: any RandomSource
  ) {
    self.isTrained = isTrained
    _weight = Parameter(wrappedValue: random.normal([outputs, inputs, kernel, kernel]))
    self.bias = bias ? Parameter(wrappedValue: .zeros([outputs])) : nil
    _resampleFilter = Buffer(wrappedValue: resamplingFilter([1, 3, 3, 1]))
    self.activation = activation
    self.up = up
    self.down = down
    self.clamp = clamp
    weightGain = 1 / Double(inputs * kernel * kernel).squareRoot()
    if !isTrained {
      weight.requiresGradient = false
      self.bias?.wrappedValue.requiresGradient = false
    }
  }

  /// `weight`, `bias` and `resample_filter`.
  public var members: [(key: String, member: Member)] {
    if isTrained { return reflectedMembers }
    return reflectedMembers.map { key, member in
      if case .parameter(let tensor) = member { return (key, .buffer(tensor)) }
      return (key, member)
    }
  }

  /// Runs the layer.
  ///
  /// - Parameters:
  ///   - x: [N, in, H, W].
  ///   - gain: Multiplies the activation's gain and the clamp.
  /// - Returns: [N, out, H · up / down, W · up / down] in the type of `x`.
  public func callAsFunction(_ x: Tensor, gain: Double = 1) -> Tensor {
    let y = resampledConvolution(
      x,
      (weight * weightGain).to(x.dtype),
      filter: up * down == 1 ? nil : resampleFilter,
      up: up,
      down: down,
      padding: Padding(weight.size(-1) / 2),
      flipWeight: up == 1
    )
    return biasActivation(
      y,
      bias: bias?.wrappedValue,
      activation: activation,
      gain: activation.defaultGain * gain,
      clamp: clamp.map { $0 * gain }
    )
  }
}

/// x · rsqrt(mean(x²) + ε) over dimension 1: brings a latent to unit length per component.
public func normalizedSecondMoment(_ x: Tensor, epsilon: Double = 1e-8) -> Tensor {
  x * (x.squared().mean(1, keeping: true) + epsilon).reciprocalSquareRoot()
}

/// Appends the standard deviation over groups of samples as extra feature maps, so that the
/// discriminator sees variety (Karras et al., arXiv 1710.10196, section 3).
///
/// - Parameters:
///   - x: [N, C, H, W].
///   - groupSize: Samples per group, at most N; `nil` takes the whole batch. Must divide N.
///   - channels: Number of maps to append; must divide C.
/// - Returns: [N, C + channels, H, W], in the memory order of `x`.
public func minibatchStandardDeviation(
  _ x: Tensor,
  groupSize: Int?,
  channels: Int = 1
) -> Tensor {
  let (N, C, H, W) = x.shape4
  let (F, c) = (channels, C / channels)
  let G = min(groupSize ?? N, N)
  precondition(N % G == 0, "a batch of \(N) cannot be split into groups of \(G)")
  let y = x.contiguous().reshaped(G, -1, F, c, H, W)  // [G, n, F, c, H, W]
  let centred = y - y.mean(0)
  let deviation = (centred.squared().mean(0) + 1e-8).squareRoot()  // [n, F, c, H, W]
  let map = deviation.mean(2, 3, 4).reshaped(-1, F, 1, 1).tiled(G, 1, H, W)  // [N, F, H, W]
  // Joined tensors of two orders come out in row-major order.
  return .concatenated([x, map.laidOut(x.memoryFormat)], 1)
}
