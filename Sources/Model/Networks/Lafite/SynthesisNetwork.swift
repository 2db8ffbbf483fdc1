public import Torch
public import TorchNN

/// One resolution of the synthesis: one or two styled convolutions, and RGB added to the image so far
/// (skip architecture, arXiv 1912.04958, section 4).
final class SynthesisBlock: Module {
  private let const: Parameter?  // [C, 4, 4] at the first block
  @Buffer var resampleFilter: Tensor  // [4, 4]
  private let conv0: SynthesisLayer?
  private let conv1: SynthesisLayer
  private let torgb: ToRGBLayer
  private let dtype: DType
  private let layout: MemoryFormat?

  /// Number of convolutions, each of which takes one w; the RGB layer takes one more.
  var convolutionCount: Int { conv0 == nil ? 1 : 2 }

  init(
    resolution: Int,
    configuration: GeneratorConfiguration,
    dtype: DType,
    random: any RandomSource
  ) {
    let channels = configuration.channels(at: resolution)
    let isFirst = resolution == 4
    self.dtype = dtype
    layout = configuration.channelsLast.map(MemoryFormat.init(channelsLast:))
    const = isFirst ? Parameter(wrappedValue: random.normal([channels, 4, 4])) : nil
    _resampleFilter = Buffer(wrappedValue: resamplingFilter([1, 3, 3, 1]))
    conv0 =
      isFirst
      ? nil
      : SynthesisLayer(
        configuration.channels(at: resolution / 2),
        channels,
        resolution: resolution,
        up: 2,
        configuration: configuration,
        random: random
      )
    conv1 = SynthesisLayer(
      channels,
      channels,
      resolution: resolution,
      up: 1,
      configuration: configuration,
      random: random
    )
    torgb = ToRGBLayer(
      channels,
      resolution: resolution,
      configuration: configuration,
      random: random
    )
  }

  /// - Parameters:
  ///   - x: Feature maps of the block before, `nil` at the first.
  ///   - image: RGB of the block before, float32, `nil` at the first.
  ///   - ws: This block's w's, [N, convolutions + 1, w dimension].
  ///   - fts: [N, feature dimension].
  ///   - noiseMode: Source of the noise.
  /// - Returns: Feature maps [N, C, r, r], RGB [N, 3, r, r] float32, and the styles in order.
  func callAsFunction(
    x: Tensor?,
    image: Tensor?,
    ws: Tensor,
    fts: Tensor,
    noiseMode: NoiseMode
  ) -> (x: Tensor, image: Tensor, styles: [Tensor]) {
    var styles: [Tensor] = []
    var x = (x ?? constant(count: ws.size(0))).to(dtype)
    // What follows keeps the order.
    if dtype != .float32 { x = x.laidOut(layout ?? x.device.reducedPrecisionLayout) }
    for (index, layer) in [conv0, conv1].compactMap({ $0 }).enumerated() {
      let (y, style) = layer(x, w: ws.selected(1, index), fts: fts, noiseMode: noiseMode)
      x = y
      styles.append(style)
    }
    let (rgb, style) = torgb(x, w: ws.selected(1, convolutionCount), fts: fts)
    styles.append(style)
    guard let image else { return (x, rgb.to(.float32), styles) }
    return (x, upsampled(image, filter: resampleFilter) + rgb.to(.float32), styles)
  }

  private func constant(count: Int) -> Tensor {
    guard let const else { preconditionFailure("a later block needs feature maps") }
    return const.wrappedValue.unsqueezed(0).expanded(count, -1, -1, -1)
  }
}

/// w, text feature and noise → image.
public final class SynthesisNetwork: Module {
  /// Number of w's that the network takes.
  public let wCount: Int
  private let blocks: [(resolution: Int, block: SynthesisBlock)]
  private let frozenResolution: Int

  /// What one pass gives.
  public struct Output {
    /// [N, 3, R, R], float32, roughly [−1, 1].
    public let image: Tensor
    /// The style of each convolution and RGB layer in order, [N, channels]; RGB styles carry their
    /// gain.
    public let styles: [Tensor]
  }

  init(
    _ configuration: GeneratorConfiguration,
    dtype: DType,
    frozenResolution: Int = 0,
    random: any RandomSource
  ) {
    self.frozenResolution = frozenResolution
    let all = configuration.resolutions
    let reduced = Set(
      all.suffix(configuration.reducedPrecisionResolutions).filter { $0 >= 8 }
    )
    blocks = all.map { resolution in
      (
        resolution,
        SynthesisBlock(
          resolution: resolution,
          configuration: configuration,
          dtype: reduced.contains(resolution) ? dtype : .float32,
          random: random
        )
      )
    }
    wCount = blocks.reduce(1) { $0 + $1.block.convolutionCount }
    for (resolution, block) in blocks where resolution <= frozenResolution {
      block.setTrainable(false)
    }
  }

  /// The blocks by resolution: `b4`, `b8` and so on.
  public var members: [(key: String, member: Member)] {
    blocks.map { resolution, block in
      ("b\(resolution)", .module(resolution <= frozenResolution ? FrozenModule(block) : block))
    }
  }

  /// Paints images.
  ///
  /// - Parameters:
  ///   - ws: [N, wCount, w dimension].
  ///   - fts: Conditioning features, already scaled, [N, feature dimension].
  ///   - noiseMode: Source of the per-pixel noise.
  /// - Returns: Images and styles.
  public func callAsFunction(_ ws: Tensor, fts: Tensor, noiseMode: NoiseMode) -> Output {
    var x: Tensor?
    var image: Tensor?
    var styles: [Tensor] = []
    var first = 0
    for (_, block) in blocks {
      let last = first + block.convolutionCount
      let own = ws.sliced(1, first..<last + 1)
      let result = block(x: x, image: image, ws: own, fts: fts, noiseMode: noiseMode)
      (x, image) = (result.x, result.image)
      styles += result.styles
      first = last
    }
    guard let image else { preconditionFailure("a synthesis network has at least one block") }
    return Output(image: image, styles: styles)
  }
}
