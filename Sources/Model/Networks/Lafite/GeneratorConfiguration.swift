/// The shape of a LAFITE generator.
public struct GeneratorConfiguration: Codable, Equatable, Sendable {
  /// Side of the images in pixels, a power of two from 8 on.
  public var resolution: Int
  /// Width of the latent z.
  public var zDimension = 512
  /// Width of the intermediate latent w.
  public var wDimension = 512
  /// Width of the conditioning feature (CLIP's embedding); 0 for StyleGAN2's own networks, which take none.
  public var featureDimension = 512
  /// Numbers of a class label, which the mapping takes beside z; `nil` without classes.
  public var labelDimension: Int?
  /// Width of each layer's own text projection; 512 in LAFITE.
  public var styleWidth = 512
  /// Number of layers of the mapping network.
  public var mappingLayers = 8
  /// Channels at resolution r are min(channelBase / r, channelMax).
  public var channelBase = 32768
  /// See `channelBase`.
  public var channelMax = 512
  /// Style structure 2 up to this resolution, structure 1 above (LAFITE's `--change`).
  public var structureChange = 256
  /// How many of the highest resolutions run in reduced precision; 0 is all float32.
  public var reducedPrecisionResolutions = 0
  /// Whether blocks in reduced precision keep the channels innermost in memory (LAFITE's `--nhwc`);
  /// `nil` leaves it to the device.
  public var channelsLast: Bool?
  /// Limit of activations in layers, ±; `nil` does not limit.
  public var clamp: Double?
  /// Factor on the conditioning feature before the style layers; 1 in LAFITE.
  ///
  /// A unit feature is weak beside w, which has unit variance per component; small data sets want
  /// more.
  public var featureScale = 1.0

  /// A generator for images of `resolution` with LAFITE's other settings.
  public init(resolution: Int) { self.resolution = resolution }

  /// 4, 8, …, resolution.
  public var resolutions: [Int] { lafiteResolutions(upTo: resolution) }

  /// Channels of the feature maps at a resolution.
  public func channels(at resolution: Int) -> Int { min(channelBase / resolution, channelMax) }
}

/// The shape of a LAFITE discriminator.
public struct DiscriminatorConfiguration: Codable, Equatable, Sendable {
  /// Side of the images in pixels.
  public var resolution: Int
  /// Width of the conditioning feature.
  public var featureDimension = 512
  /// Numbers of a class label, on whose mapping the logit is projected; `nil` without classes.
  public var labelDimension: Int?
  /// Layers of the label's mapping; `nil` are `standardLabelLayers`.
  public var labelLayers: Int?
  /// Channels at resolution r are min(channelBase / r, channelMax).
  public var channelBase = 32768
  /// See `channelBase`.
  public var channelMax = 512
  /// How many of the highest resolutions run in reduced precision; 0 is all float32.
  public var reducedPrecisionResolutions = 0
  /// Whether blocks in reduced precision keep the channels innermost in memory (LAFITE's `--nhwc`);
  /// `nil` leaves it to the device.
  public var channelsLast: Bool?
  /// Limit of activations in layers, ±; `nil` does not limit.
  public var clamp: Double?
  /// Samples per group of the minibatch standard deviation; `nil` is the whole batch.
  public var minibatchGroup: Int? = 4
  /// Whether there is a semantic head (LAFITE's `--d_use_fts`).
  public var usesFeatures = true
  /// Whether the semantic head's output is normalised before it scores (`--d_use_norm`).
  public var normalizesFeatures = false
  /// How the semantic head's agreement with the condition enters the logits.
  public var featureLogit = FeatureLogit.batchSum

  /// A discriminator for images of `resolution` with LAFITE's other settings.
  public init(resolution: Int) { self.resolution = resolution }

  /// Layers of the label's mapping in StyleGAN2-ADA and LAFITE.
  public static let standardLabelLayers = 8

  /// resolution, …, 8, 4.
  public var resolutions: [Int] { lafiteResolutions(upTo: resolution).reversed() }

  /// Channels of the feature maps at a resolution.
  public func channels(at resolution: Int) -> Int { min(channelBase / resolution, channelMax) }
}

/// How d_fts · fts enters the discriminator's logits.
public enum FeatureLogit: String, Codable, Sendable, CaseIterable {
  /// One sum over the whole batch is added to every logit: what the released LAFITE computes.
  case batchSum = "batch-sum"
  /// Each sample's own product is added to its own logit: what the paper describes (equation 5).
  case perSample = "per-sample"
}

/// Whether activations can be clamped to ±`clamp`: a number of the types that layers compute in, above 0.
///
/// - Parameters:
///   - clamp: The bound; `nil` clamps nothing.
///   - reducedPrecisionResolutions: Resolutions in float16, whose largest number is 65504.
/// - Returns: Whether it is a bound.
package func isPossibleClamp(_ clamp: Double?, reducedPrecisionResolutions: Int) -> Bool {
  guard let clamp else { return true }
  let largest = reducedPrecisionResolutions > 0 ? 65_504 : Double(Float.greatestFiniteMagnitude)
  return clamp > 0 && clamp <= largest
}

private func lafiteResolutions(upTo resolution: Int) -> [Int] {
  precondition(
    resolution >= 8 && resolution & (resolution - 1) == 0,
    "the resolution must be a power of two from 8 on, not \(resolution)"
  )
  return Array(sequence(first: 4) { $0 < resolution ? $0 * 2 : nil })
}
