public import Torch
import TorchNN

/// Where the per-pixel noise of the synthesis comes from.
public enum NoiseMode {
  /// Fresh noise from a source, one map a sample and layer.
  case random(any RandomSource)
  /// The layer's stored map, the same for every sample.
  case constant
  /// No noise.
  case none
}

/// Styled convolution: modulation, convolution, noise, bias, leaky ReLU.
final class SynthesisLayer: Module {
  @Parameter var weight: Tensor  // [O, I, 3, 3]
  @Parameter var noiseStrength: Tensor  // []
  @Parameter var bias: Tensor  // [O]
  @Buffer var resampleFilter: Tensor  // [4, 4]
  @Buffer var noiseConst: Tensor  // [r, r]
  private let style: StyleMapper
  private let resolution: Int
  private let up: Int
  private let clamp: Double?

  init(
    _ inputs: Int,
    _ outputs: Int,
    resolution: Int,
    up: Int,
    configuration: GeneratorConfiguration,
    random: any RandomSource
  ) {
    self.resolution = resolution
    self.up = up
    clamp = configuration.clamp
    style = StyleMapper(
      resolution: resolution,
      configuration: configuration,
      channels: inputs,
      random: random
    )
    _weight = Parameter(wrappedValue: random.normal([outputs, inputs, 3, 3]))
    _noiseStrength = Parameter(wrappedValue: .zeros([]))
    _bias = Parameter(wrappedValue: .zeros([outputs]))
    _resampleFilter = Buffer(wrappedValue: resamplingFilter([1, 3, 3, 1]))
    _noiseConst = Buffer(wrappedValue: random.normal([resolution, resolution]))
  }

  var members: [(key: String, member: Member)] { reflectedMembers + style.members }

  /// - Parameters:
  ///   - x: [N, I, H, W].
  ///   - w: [N, w dimension].
  ///   - fts: [N, feature dimension].
  ///   - noiseMode: Source of the noise.
  /// - Returns: [N, O, r, r], and the style [N, I].
  func callAsFunction(
    _ x: Tensor,
    w: Tensor,
    fts: Tensor,
    noiseMode: NoiseMode
  ) -> (x: Tensor, style: Tensor) {
    let styles = style(w: w, fts: fts)
    let y = modulatedConvolution(
      x,
      weight: weight,
      styles: styles,
      noise: noise(noiseMode, count: x.size(0), x.device),
      up: up,
      padding: 1,
      filter: up == 1 ? nil : resampleFilter,
      flipWeight: up == 1,
      bias: bias,
      activation: .leakyReLU,
      clamp: clamp
    )
    return (y, styles)
  }

  private func noise(_ mode: NoiseMode, count: Int, _ device: Device) -> Tensor? {
    switch mode {
    case .random(let source):
      source.normal([count, 1, resolution, resolution]).to(device) * noiseStrength
    case .constant: noiseConst * noiseStrength
    case .none: nil
    }
  }
}

/// Feature maps to RGB: a modulated 1 × 1 convolution without demodulation.
final class ToRGBLayer: Module {
  @Parameter var weight: Tensor  // [3, I, 1, 1]
  @Parameter var bias: Tensor  // [3]
  private let style: StyleMapper
  private let clamp: Double?
  private let weightGain: Double

  init(
    _ inputs: Int,
    resolution: Int,
    configuration: GeneratorConfiguration,
    random: any RandomSource
  ) {
    clamp = configuration.clamp
    weightGain = 1 / Double(inputs).squareRoot()
    style = StyleMapper(
      resolution: resolution,
      configuration: configuration,
      channels: inputs,
      random: random
    )
    _weight = Parameter(wrappedValue: random.normal([3, inputs, 1, 1]))
    _bias = Parameter(wrappedValue: .zeros([3]))
  }

  var members: [(key: String, member: Member)] { reflectedMembers + style.members }

  /// - Returns: RGB [N, 3, r, r], and the style with its gain [N, I].
  func callAsFunction(_ x: Tensor, w: Tensor, fts: Tensor) -> (rgb: Tensor, style: Tensor) {
    let styles = style(w: w, fts: fts) * weightGain
    let y = modulatedConvolution(
      x,
      weight: weight,
      styles: styles,
      demodulate: false,
      bias: bias,
      clamp: clamp
    )
    return (y, styles)
  }
}
