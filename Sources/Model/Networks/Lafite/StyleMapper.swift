import Torch
import TorchNN

/// Makes the style of one layer from w and the conditioning feature (LAFITE, arXiv 2111.13792,
/// section 3.2: "modulate the style space").
///
/// Every layer has a mapper of its own; which of two structures depends on the resolution. StyleGAN2's own
/// networks see no feature.
enum StyleMapper {
  case concatenated(ConcatenatedStyle)
  case affine(AffineStyle)
  case plain(PlainStyle)

  /// - Parameters:
  ///   - w: [N, w dimension].
  ///   - fts: Conditioning feature, [N, feature dimension].
  /// - Returns: [N, input channels], near 1.
  func callAsFunction(w: Tensor, fts: Tensor) -> Tensor {
    switch self {
    case .concatenated(let mapper): mapper(w: w, fts: fts)
    case .affine(let mapper): mapper(w: w, fts: fts)
    case .plain(let mapper): mapper(w: w)
    }
  }

  var members: [(key: String, member: Member)] {
    switch self {
    case .concatenated(let mapper): mapper.members
    case .affine(let mapper): mapper.members
    case .plain(let mapper): mapper.members
    }
  }

  /// The mapper of a layer at `resolution`.
  init(
    resolution: Int,
    configuration: GeneratorConfiguration,
    channels: Int,
    random: any RandomSource
  ) {
    if configuration.featureDimension == 0 {
      self = .plain(
        PlainStyle(configuration: configuration, channels: channels, random: random)
      )
      return
    }
    self =
      resolution <= configuration.structureChange
      ? .concatenated(
        ConcatenatedStyle(configuration: configuration, channels: channels, random: random)
      )
      : .affine(AffineStyle(configuration: configuration, channels: channels, random: random))
  }
}

/// Structure 2: the feature passes two layers, is joined with w, and mapped to the style.
final class ConcatenatedStyle: Module {
  private let pre: [FullyConnectedLayer]
  private let affine: FullyConnectedLayer

  init(configuration: GeneratorConfiguration, channels: Int, random: any RandomSource) {
    pre = featureLayers(configuration, random: random)
    affine = FullyConnectedLayer(
      configuration.styleWidth + configuration.wDimension,
      channels,
      biasInit: 1,
      random: random
    )
  }

  var members: [(key: String, member: Member)] {
    pre.enumerated().map { ("pre_\($0)", .module($1)) } + [("affine_0", .module(affine))]
  }

  func callAsFunction(w: Tensor, fts: Tensor) -> Tensor {
    affine(.concatenated([pre.reduce(fts) { $1($0) }, w], 1))
  }
}

/// Structure 1: the style of w, scaled and shifted by functions of the feature.
final class AffineStyle: Module {
  private let affine: FullyConnectedLayer
  private let scale: [FullyConnectedLayer]
  private let bias: [FullyConnectedLayer]

  init(configuration: GeneratorConfiguration, channels: Int, random: any RandomSource) {
    func branch() -> [FullyConnectedLayer] {
      featureLayers(configuration, random: random)
        + [FullyConnectedLayer(configuration.styleWidth, channels, random: random)]
    }
    affine = FullyConnectedLayer(configuration.wDimension, channels, biasInit: 1, random: random)
    scale = branch()
    bias = branch()
  }

  var members: [(key: String, member: Member)] {
    [("affine", .module(affine))]
      + scale.enumerated().map { ("scale_layer_\($0)", .module($1)) }
      + bias.enumerated().map { ("bias_layer_\($0)", .module($1)) }
  }

  func callAsFunction(w: Tensor, fts: Tensor) -> Tensor {
    bias.reduce(fts) { $1($0) }.adding(product: affine(w), scale.reduce(fts) { $1($0) })
  }
}

/// The style of w alone, as StyleGAN2 has it (arXiv 1912.04958).
final class PlainStyle: Module {
  private let affine: FullyConnectedLayer

  init(configuration: GeneratorConfiguration, channels: Int, random: any RandomSource) {
    affine = FullyConnectedLayer(configuration.wDimension, channels, biasInit: 1, random: random)
  }

  func callAsFunction(w: Tensor) -> Tensor { affine(w) }
}

/// feature → (feature + width) / 2 → width, leaky ReLU, learning rate multiplier 0.01.
private func featureLayers(
  _ configuration: GeneratorConfiguration,
  random: any RandomSource
) -> [FullyConnectedLayer] {
  let hidden = (configuration.featureDimension + configuration.styleWidth) / 2
  let widths = [configuration.featureDimension, hidden, configuration.styleWidth]
  return zip(widths, widths.dropFirst()).map { inputs, outputs in
    FullyConnectedLayer(
      inputs,
      outputs,
      activation: .leakyReLU,
      learningRateMultiplier: TextLayers.learningRateMultiplier,
      random: random
    )
  }
}

/// The layers that each style mapper's text feature passes first.
public enum TextLayers {
  /// Their learning rate multiplier in LAFITE (arXiv 1912.04958, appendix B, on the mapping network).
  public static let learningRateMultiplier = 0.01

  private static let names: Set<Substring> = [
    "pre_0", "pre_1", "scale_layer_0", "scale_layer_1", "bias_layer_0", "bias_layer_1",
  ]

  /// Whether a parameter of a generator belongs to one of these layers.
  ///
  /// - Parameter name: Its name in the generator's state, parts joined by dots.
  /// - Returns: Whether it does.
  public static func contain(_ name: String) -> Bool {
    name.split(separator: ".").contains(where: names.contains)
  }
}
