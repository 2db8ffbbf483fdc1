public import Torch
public import TorchNN

/// One resolution of the discriminator: two convolutions beside a skip (resnet architecture,
/// arXiv 1912.04958, section 4).
final class DiscriminatorBlock: Module {
  @Buffer var resampleFilter: Tensor  // [4, 4]
  private let fromrgb: ConvolutionLayer?
  private let conv0: ConvolutionLayer
  private let conv1: ConvolutionLayer
  private let skip: ConvolutionLayer
  private let dtype: DType
  private let layout: MemoryFormat?

  // `frozen` is how many of this block's first layers are not trained; it may be below 0.
  init(
    resolution: Int,
    configuration: DiscriminatorConfiguration,
    dtype: DType,
    frozen: Int,
    random: any RandomSource
  ) {
    let channels = configuration.channels(at: resolution)
    let isFirst = resolution == configuration.resolution
    let next = configuration.channels(at: resolution / 2)
    let clamp = configuration.clamp
    self.dtype = dtype
    layout = configuration.channelsLast.map(MemoryFormat.init(channelsLast:))
    _resampleFilter = Buffer(wrappedValue: resamplingFilter([1, 3, 3, 1]))
    fromrgb =
      isFirst
      ? ConvolutionLayer(
        3,
        channels,
        kernel: 1,
        activation: .leakyReLU,
        clamp: clamp,
        isTrained: frozen < 1,
        random: random
      ) : nil
    let others = frozen - (isFirst ? 1 : 0)
    conv0 = ConvolutionLayer(
      channels,
      channels,
      kernel: 3,
      activation: .leakyReLU,
      clamp: clamp,
      isTrained: others < 1,
      random: random
    )
    conv1 = ConvolutionLayer(
      channels,
      next,
      kernel: 3,
      activation: .leakyReLU,
      down: 2,
      clamp: clamp,
      isTrained: others < 2,
      random: random
    )
    skip = ConvolutionLayer(
      channels,
      next,
      kernel: 1,
      bias: false,
      down: 2,
      isTrained: others < 3,
      random: random
    )
  }

  /// - Parameter x: The image [N, 3, r, r] at the first block, else feature maps [N, C, r, r].
  /// - Returns: [N, C', r / 2, r / 2].
  func callAsFunction(_ x: Tensor) -> Tensor {
    var x = x.to(dtype)
    if dtype != .float32 { x = x.laidOut(layout ?? x.device.reducedPrecisionLayout) }
    if let fromrgb { x = fromrgb(x) }
    let half = 0.5.squareRoot()
    let y = skip(x, gain: half)
    return y + conv1(conv0(x), gain: half)
  }
}

/// The last block: minibatch deviation, one convolution, the logit and the semantic head.
final class DiscriminatorEpilogue: Module {
  private let conv: ConvolutionLayer
  private let fc: FullyConnectedLayer
  private let fts: FullyConnectedLayer?
  private let out: FullyConnectedLayer
  private let configuration: DiscriminatorConfiguration

  init(_ configuration: DiscriminatorConfiguration, random: any RandomSource) {
    let channels = configuration.channels(at: 4)
    self.configuration = configuration
    conv = ConvolutionLayer(
      channels + 1,
      channels,
      kernel: 3,
      activation: .leakyReLU,
      clamp: configuration.clamp,
      random: random
    )
    fc = FullyConnectedLayer(channels * 16, channels, activation: .leakyReLU, random: random)
    fts =
      configuration.usesFeatures
      ? FullyConnectedLayer(channels, configuration.featureDimension, random: random) : nil
    // With classes the logit is a product with the mapped label, which has as many numbers.
    let outputs = configuration.labelDimension == nil ? 1 : channels
    out = FullyConnectedLayer(channels, outputs, random: random)
  }

  /// - Parameters:
  ///   - x: Feature maps, [N, C, 4, 4].
  ///   - condition: CLIP features, [N, F].
  ///   - mapped: The mapped labels, [N, C]; `nil` without classes.
  /// - Returns: Logits and predicted features.
  func callAsFunction(
    _ x: Tensor,
    fts condition: Tensor,
    mapped: Tensor?
  ) -> Discriminator.Output {
    var y = minibatchStandardDeviation(x.to(.float32), groupSize: configuration.minibatchGroup)
    y = conv(y).contiguous()
    y = fc(y.reshaped(y.size(0), -1))  // [N, C]
    let logits = projected(out(y), on: mapped)  // [N, 1]
    guard let fts else { return .init(logits: logits, features: nil, agreement: nil) }
    let raw = fts(y)  // [N, F]
    let features = configuration.normalizesFeatures ? raw.normalized() : raw
    let agreement =
      switch configuration.featureLogit {
      case .batchSum: (features * condition).sum()
      case .perSample: (features * condition).sum(1, keeping: true)
      }
    return .init(logits: logits + agreement, features: features, agreement: agreement)
  }

  private func projected(_ x: Tensor, on mapped: Tensor?) -> Tensor {
    guard let mapped else { return x }
    return (x * mapped).sum(1, keeping: true) / Double(mapped.size(1)).squareRoot()
  }
}

/// LAFITE's discriminator: StyleGAN2's, with a head that predicts the image's CLIP feature
/// (arXiv 2111.13792, section 3.2).
public final class Discriminator: Module {
  /// What one pass gives.
  public struct Output {
    /// Realness, [N, 1], unbounded.
    public let logits: Tensor
    /// Predicted CLIP features, [N, featureDimension], of unit length if the configuration says so;
    /// `nil` without the head.
    public let features: Tensor?
    /// What the agreement of features and condition adds to the logits: [N, 1], or a scalar for the
    /// whole batch; `nil` without the head.
    public let agreement: Tensor?

    /// Collects the parts.
    public init(logits: Tensor, features: Tensor?, agreement: Tensor?) {
      (self.logits, self.features, self.agreement) = (logits, features, agreement)
    }
  }

  /// Its shape.
  public let configuration: DiscriminatorConfiguration
  private let blocks: [(resolution: Int, block: DiscriminatorBlock)]
  private let mapping: LabelMapping?
  private let epilogue: DiscriminatorEpilogue

  /// A discriminator with fresh weights.
  ///
  /// - Parameters:
  ///   - configuration: The shape.
  ///   - reducedPrecision: Type of the blocks that run in reduced precision.
  ///   - frozenLayers: How many of the first layers are not trained (FreezeD, arXiv 2002.10964),
  ///     counted from the image: from RGB, then each block's two convolutions and its skip.
  ///   - random: Draws the weights.
  public init(
    _ configuration: DiscriminatorConfiguration,
    reducedPrecision: DType = .bfloat16,
    frozenLayers: Int = 0,
    random: any RandomSource
  ) {
    self.configuration = configuration
    let all = configuration.resolutions
    let reduced = Set(all.prefix(configuration.reducedPrecisionResolutions))
    blocks = all.dropLast().enumerated().map { index, resolution in
      // The first block has four layers, the others three.
      let before = index == 0 ? 0 : 1 + 3 * index
      return (
        resolution,
        DiscriminatorBlock(
          resolution: resolution,
          configuration: configuration,
          dtype: reduced.contains(resolution) ? reducedPrecision : .float32,
          frozen: frozenLayers - before,
          random: random
        )
      )
    }
    mapping = configuration.labelDimension.map {
      LabelMapping(
        labelDimension: $0,
        width: configuration.channels(at: 4),
        layerCount: configuration.labelLayers ?? DiscriminatorConfiguration.standardLabelLayers,
        random: random
      )
    }
    epilogue = DiscriminatorEpilogue(configuration, random: random)
  }

  /// `b32`, …, `b8`, `mapping` with classes, `b4`.
  public var members: [(key: String, member: Member)] {
    blocks.map { ("b\($0.resolution)", .module($0.block)) }
      + (mapping.map { [("mapping", .module($0))] } ?? []) + [("b4", .module(epilogue))]
  }

  /// Judges images under a condition.
  ///
  /// - Parameters:
  ///   - image: [N, 3, R, R], [−1, 1].
  ///   - fts: CLIP features of unit length, [N, featureDimension].
  ///   - labels: Class labels, [N, labelDimension]; `nil` without classes.
  /// - Returns: Logits and predicted features.
  public func callAsFunction(_ image: Tensor, fts: Tensor, labels: Tensor? = nil) -> Output {
    let mapped = expected(mapping, beside: labels).map { $0.layer($0.labels) }
    return epilogue(blocks.reduce(image) { $1.block($0) }, fts: fts, mapped: mapped)
  }
}
