public import Torch
public import TorchNN

/// z → w: normalisation and a stack of fully connected layers (arXiv 1912.04958).
public final class MappingNetwork: Module {
  /// Width of z.
  public let zDimension: Int
  /// Width of w.
  public let wDimension: Int
  /// How many times w is repeated, once per layer of the synthesis.
  public let wCount: Int
  /// Running mean of w, the centre of truncation, [wDimension].
  @Buffer public var wAverage: Tensor
  private let layers: [FullyConnectedLayer]
  private let averageBeta = 0.995

  /// A mapping of `layerCount` layers with learning rate multiplier 0.01.
  public init(
    zDimension: Int,
    wDimension: Int,
    wCount: Int,
    layerCount: Int,
    random: any RandomSource
  ) {
    self.zDimension = zDimension
    self.wDimension = wDimension
    self.wCount = wCount
    layers = (0..<layerCount).map {
      FullyConnectedLayer(
        $0 == 0 ? zDimension : wDimension,
        wDimension,
        activation: .leakyReLU,
        learningRateMultiplier: 0.01,
        random: random
      )
    }
    _wAverage = Buffer(wrappedValue: .zeros([wDimension]))
  }

  /// `fc0`, `fc1`, … and `w_avg`.
  public var members: [(key: String, member: Member)] {
    layers.enumerated().map { ("fc\($0)", .module($1)) } + [("w_avg", .buffer(wAverage))]
  }

  /// Maps latents to styles, one w a layer.
  ///
  /// - Parameters:
  ///   - z: [N, zDimension].
  ///   - updatingAverage: Moves the running mean of w toward this batch's.
  ///   - truncation: Pulls w toward the running mean: 0 is the mean, 1 changes nothing
  ///     (arXiv 1812.04948, section 3.1).
  ///   - truncationCutoff: Number of first layers that are truncated; all if `nil`.
  /// - Returns: [N, wCount, wDimension].
  public func callAsFunction(
    _ z: Tensor,
    updatingAverage: Bool = false,
    truncation: Double = 1,
    truncationCutoff: Int? = nil
  ) -> Tensor {
    let w = layers.reduce(normalizedSecondMoment(z)) { $1($0) }
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
}
