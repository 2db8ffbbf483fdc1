public import Torch
public import TorchNN

/// LAFITE's generator: StyleGAN2 whose styles also see a CLIP feature (arXiv 2111.13792, section 3.2).
public final class Generator: Module {
  /// Its shape.
  public let configuration: GeneratorConfiguration
  /// z → w.
  public let mapping: MappingNetwork
  /// w, feature → image.
  public let synthesis: SynthesisNetwork

  /// A generator with fresh weights.
  ///
  /// - Parameters:
  ///   - configuration: The shape.
  ///   - reducedPrecision: Type of the blocks that run in reduced precision.
  ///   - frozenResolution: Blocks up to this resolution are not trained.
  ///   - random: Draws the weights.
  public init(
    _ configuration: GeneratorConfiguration,
    reducedPrecision: DType = .bfloat16,
    frozenResolution: Int = 0,
    random: any RandomSource
  ) {
    self.configuration = configuration
    synthesis = SynthesisNetwork(
      configuration,
      dtype: reducedPrecision,
      frozenResolution: frozenResolution,
      random: random
    )
    mapping = MappingNetwork(
      zDimension: configuration.zDimension,
      wDimension: configuration.wDimension,
      wCount: synthesis.wCount,
      layerCount: configuration.mappingLayers,
      labelDimension: configuration.labelDimension,
      random: random
    )
  }

  /// Paints images of latents and features.
  ///
  /// - Parameters:
  ///   - z: [N, zDimension], from N(0, 1).
  ///   - fts: CLIP features of unit length, [N, featureDimension].
  ///   - labels: Class labels, [N, labelDimension]; `nil` without classes.
  ///   - truncation: 1 is the full variety, 0 the average image.
  ///   - truncationCutoff: Number of first layers that are truncated; all if `nil`.
  ///   - noiseMode: Source of the per-pixel noise.
  /// - Returns: [N, 3, R, R], float32, roughly [−1, 1].
  public func callAsFunction(
    _ z: Tensor,
    fts: Tensor,
    labels: Tensor? = nil,
    truncation: Double = 1,
    truncationCutoff: Int? = nil,
    noiseMode: NoiseMode
  ) -> Tensor {
    let ws = mapping(
      z,
      labels: labels,
      truncation: truncation,
      truncationCutoff: truncationCutoff
    )
    return synthesize(ws, fts: fts, noiseMode: noiseMode).image
  }

  /// Paints images of given w's: the second half of a call.
  ///
  /// - Parameters:
  ///   - ws: [N, wCount, wDimension].
  ///   - fts: CLIP features of unit length, [N, featureDimension].
  ///   - noiseMode: Source of the per-pixel noise.
  /// - Returns: Images and styles.
  public func synthesize(
    _ ws: Tensor,
    fts: Tensor,
    noiseMode: NoiseMode
  ) -> SynthesisNetwork.Output {
    synthesis(ws, fts: fts.scaled(by: configuration.featureScale), noiseMode: noiseMode)
  }
}
