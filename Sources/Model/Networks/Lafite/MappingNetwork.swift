public import Torch
public import TorchNN

/// z → w: normalisation and a stack of fully connected layers (arXiv 1912.04958).
///
/// With classes the label passes a linear layer, is normalised, and stands behind z in the input of the first
/// layer (arXiv 2006.06676).
public final class MappingNetwork: Module {
  /// Width of z.
  public let zDimension: Int
  /// Width of w.
  public let wDimension: Int
  /// How many times w is repeated, once per layer of the synthesis.
  public let wCount: Int
  /// Running mean of w over all latents and labels, the centre of truncation, [wDimension].
  @Buffer public var wAverage: Tensor
  private let embed: FullyConnectedLayer?
  private let layers: [FullyConnectedLayer]
  private let averageBeta = 0.995

  /// A mapping of `layerCount` layers with learning rate multiplier 0.01.
  public init(
    zDimension: Int,
    wDimension: Int,
    wCount: Int,
    layerCount: Int,
    labelDimension: Int? = nil,
    random: any RandomSource
  ) {
    self.zDimension = zDimension
    self.wDimension = wDimension
    self.wCount = wCount
    embed = labelDimension.map { FullyConnectedLayer($0, wDimension, random: random) }
    let inputs = labelDimension == nil ? zDimension : zDimension + wDimension
    layers = mappingLayers(layerCount, inputs: inputs, width: wDimension, random: random)
    _wAverage = Buffer(wrappedValue: .zeros([wDimension]))
  }

  /// `embed` with classes, `fc0`, `fc1`, … and `w_avg`.
  public var members: [(key: String, member: Member)] {
    (embed.map { [("embed", .module($0))] } ?? [])
      + layers.enumerated().map { ("fc\($0)", .module($1)) } + [("w_avg", .buffer(wAverage))]
  }

  /// Maps latents to styles, one w a layer.
  ///
  /// - Parameters:
  ///   - z: [N, zDimension].
  ///   - labels: Class labels, [N, labelDimension]; `nil` without classes.
  ///   - updatingAverage: Moves the running mean of w toward this batch's.
  ///   - truncation: Pulls w toward the running mean: 0 is the mean, 1 changes nothing
  ///     (arXiv 1812.04948, section 3.1).
  ///   - truncationCutoff: Number of first layers that are truncated; all if `nil`.
  /// - Returns: [N, wCount, wDimension].
  public func callAsFunction(
    _ z: Tensor,
    labels: Tensor? = nil,
    updatingAverage: Bool = false,
    truncation: Double = 1,
    truncationCutoff: Int? = nil
  ) -> Tensor {
    let w = layers.reduce(input(z, labels)) { $1($0) }
    if updatingAverage {
      withoutGradients {
        wAverage.interpolate(to: w.detached().mean(0), weight: 1 - averageBeta)
      }
    }
    let ws = w.unsqueezed(1).expanded(-1, wCount, -1)
    if truncation == 1 { return ws }
    let cutoff = min(truncationCutoff ?? wCount, wCount)
    let near = wAverage.interpolated(to: ws.sliced(1, 0..<cutoff), weight: truncation)
    return .concatenated([near, ws.sliced(1, cutoff..<wCount)], 1)
  }

  private func input(_ z: Tensor, _ labels: Tensor?) -> Tensor {
    let x = normalizedSecondMoment(z)
    guard let embed = expected(embed, beside: labels) else { return x }
    return .concatenated([x, normalizedSecondMoment(embed.layer(embed.labels))], 1)
  }
}

/// Label → the vector that the discriminator's logit is projected on (arXiv 2006.06676; Miyato and Koyama,
/// arXiv 1802.05637).
final class LabelMapping: Module {
  private let embed: FullyConnectedLayer
  private let layers: [FullyConnectedLayer]

  init(labelDimension: Int, width: Int, layerCount: Int, random: any RandomSource) {
    embed = FullyConnectedLayer(labelDimension, width, random: random)
    layers = mappingLayers(layerCount, inputs: width, width: width, random: random)
  }

  var members: [(key: String, member: Member)] {
    [("embed", .module(embed))] + layers.enumerated().map { ("fc\($0)", .module($1)) }
  }

  /// - Parameter labels: [N, label dimension].
  /// - Returns: [N, width].
  func callAsFunction(_ labels: Tensor) -> Tensor {
    layers.reduce(normalizedSecondMoment(embed(labels))) { $1($0) }
  }
}

/// What takes the labels, with them.
///
/// A network with classes needs a label for each image, another takes none.
func expected<Layer>(_ layer: Layer?, beside labels: Tensor?) -> (layer: Layer, labels: Tensor)? {
  precondition(
    (layer == nil) == (labels == nil),
    labels.map { "labels \($0.shape) for a network without classes" }
      ?? "no labels for a network with classes"
  )
  guard let layer, let labels else { return nil }
  return (layer, labels)
}

private func mappingLayers(
  _ count: Int,
  inputs: Int,
  width: Int,
  random: any RandomSource
) -> [FullyConnectedLayer] {
  (0..<count).map {
    FullyConnectedLayer(
      $0 == 0 ? inputs : width,
      width,
      activation: .leakyReLU,
      learningRateMultiplier: 0.01,
      random: random
    )
  }
}
