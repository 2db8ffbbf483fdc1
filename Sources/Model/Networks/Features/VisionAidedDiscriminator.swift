public import Torch
public import TorchNN

/// A second discriminator that sees the features of a classifier instead of pixels (vision-aided GANs, Kumari et
/// al., arXiv 2112.09130), with a head on each of three scales (Projected GANs, Sauer et al., arXiv 2111.01007,
/// section 3).
///
/// The classifier stays as it is and is no part of the state; the heads are trained. They are no part of
/// LAFITE's snapshots.
public final class VisionAidedDiscriminator: Module {
  /// After which of the classifier's blocks a head looks, and the channels there.
  private static let levels: [(block: Int, channels: Int)] = [(3, 24), (5, 40), (11, 112)]

  private let classifier: EfficientNetLite0
  private let heads: [FeatureHead]

  /// Heads with fresh weights.
  ///
  /// - Parameters:
  ///   - classifier: Sees the images; it must not be trained.
  ///   - featureDimension: Numbers of a text feature.
  ///   - random: Draws the weights.
  public init(_ classifier: EfficientNetLite0, featureDimension: Int, random: any RandomSource) {
    self.classifier = classifier
    heads = Self.levels.map {
      FeatureHead($0.channels, featureDimension: featureDimension, random: random)
    }
  }

  /// The heads; the classifier is left out.
  public var members: [(key: String, member: Member)] {
    heads.enumerated().map { ("heads.\($0)", .module($1)) }
  }

  /// Whether the features' means and deviations are set.
  public var isPrepared: Bool { heads.allSatisfy(\.isPrepared) }

  /// Sets the mean and deviation of each channel, by which features are normalised from then on.
  ///
  /// - Parameters:
  ///   - images: Real images, [N, 3, R, R] in [−1, 1].
  ///   - gather: Makes of a tensor's rows those of all ranks.
  public func prepare(with images: Tensor, gathering gather: (Tensor) -> Tensor) {
    withoutGradients {
      for (head, level) in zip(heads, features(images)) { head.prepare(with: level, gather) }
    }
  }

  /// Looks at images under a condition.
  ///
  /// - Parameters:
  ///   - images: [N, 3, R, R], roughly [−1, 1].
  ///   - fts: Text features, [N, F].
  /// - Returns: A map of logits per head, [N, 1, h, w]: high where a place looks real.
  public func callAsFunction(_ images: Tensor, fts: Tensor) -> [Tensor] {
    zip(heads, features(images)).map { head, level in head(level, fts: fts) }
  }

  /// Images smaller than 64² are enlarged, larger ones than 224² reduced: those are the classifier's.
  private func features(_ images: Tensor) -> [Tensor] {
    let side = images.size(2)
    let seen = min(max(side, 64), EfficientNetLite0.resolution)
    let x =
      seen == side
      ? images : images.bilinear(height: seen, width: seen, antialias: seen < side)
    return classifier.maps((x + 1) * 127.5, after: Self.levels.map(\.block))
  }
}

/// A small convolutional network on a feature map: a logit for each place, with a projection of the condition
/// (arXiv 1802.05637, equation 3).
private final class FeatureHead: Module {
  private static let width = 64

  private let narrow: Convolution2d
  private let filter: Convolution2d
  private let logit: Convolution2d
  private let condition: Linear
  /// Of each channel, [C].
  @Buffer private var mean: Tensor
  /// Of each channel, [C]; zero before they are set.
  @Buffer private var deviation: Tensor

  init(_ channels: Int, featureDimension: Int, random: any RandomSource) {
    let width = Self.width
    narrow = Convolution2d(channels, width, kernel: 1, random: random)
    filter = Convolution2d(width, width, kernel: 3, padding: 1, random: random)
    logit = Convolution2d(width, 1, kernel: 1, random: random)
    condition = Linear(featureDimension, width, random: random)
    _mean = Buffer(wrappedValue: .zeros([channels]))
    _deviation = Buffer(wrappedValue: .zeros([channels]))
  }

  var isPrepared: Bool { deviation.largest(0).item > 0 }

  func prepare(with level: Tensor, _ gather: (Tensor) -> Tensor) {
    let rows = Tensor.concatenated([level.mean(2, 3), level.squared().mean(2, 3)], 1)
    let moments = gather(rows.contiguous()).mean(0)
    let channels = level.size(1)
    let mean = moments.sliced(0, 0..<channels)
    let variance = moments.sliced(0, channels..<2 * channels) - mean.squared()
    self.mean.assign(mean)
    deviation.assign((variance.clamped(from: 0, to: .infinity) + 1e-3).squareRoot())
  }

  func callAsFunction(_ level: Tensor, fts: Tensor) -> Tensor {
    let (N, C, _, _) = level.shape4
    var x = (level - mean.reshaped(1, C, 1, 1)) / deviation.reshaped(1, C, 1, 1)
    x = filter(narrow(x).leakyReLU()).leakyReLU()
    let projected = x * condition(fts).reshaped(N, Self.width, 1, 1)
    return logit(x) + projected.sum(1, keeping: true) / Double(Self.width).squareRoot()
  }
}
