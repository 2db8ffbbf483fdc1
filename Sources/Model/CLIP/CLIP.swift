import Foundation
public import Torch
public import TorchNN

/// Contrastive language–image pre-training (Radford et al., arXiv 2103.00020): two towers that put an
/// image and its caption at the same point of one space.
///
/// The names of the state are those of OpenAI's released models.
public final class CLIP: Module {
  /// The model's shape.
  public let configuration: CLIPConfiguration
  /// Logarithm of the factor between cosines and logits, a scalar.
  @Parameter public var logitScale: Tensor

  /// [L, W].
  @Parameter var positionalEmbedding: Tensor
  /// [W, E].
  @Parameter var textProjection: Tensor
  private let visual: any CLIPImageTower
  private let transformer: CLIPTransformer
  private let tokenEmbedding: CLIPTokenEmbedding
  private let lnFinal: LayerNorm

  /// A model with fresh weights, drawn as the paper's.
  ///
  /// - Parameters:
  ///   - configuration: A valid configuration.
  ///   - random: Where the weights come from.
  public init(_ configuration: CLIPConfiguration, random: any RandomSource) {
    do throws(CLIPError) { try configuration.validate() } catch {
      preconditionFailure(error.description)
    }
    self.configuration = configuration
    let width = configuration.textWidth
    visual = Self.imageTower(configuration, random: random)
    transformer = CLIPTransformer(
      width: width,
      layers: configuration.textLayers,
      heads: configuration.textHeads,
      activation: configuration.activation ?? .quickGELU,
      random: random
    )
    tokenEmbedding = CLIPTokenEmbedding(configuration.vocabularySize, width, random: random)
    _positionalEmbedding = Parameter(
      wrappedValue: random.normal([configuration.contextLength, width], deviation: 0.01)
    )
    lnFinal = LayerNorm(width)
    _textProjection = Parameter(
      wrappedValue: random.normal(
        [width, configuration.embedDimension],
        deviation: 1 / Double(width).squareRoot()
      )
    )
    _logitScale = Parameter(wrappedValue: Tensor(scalar: log(1 / 0.07)))
  }

  /// Embeds images.
  ///
  /// - Parameters:
  ///   - pixels: Normalised by `CLIPConfiguration.pixelMean` and `pixelDeviation`, [N, 3, R, R];
  ///     their type is the type of the computation.
  ///   - training: Lets batch normalisation use and average the batch's own statistics.
  /// - Returns: Features of any length, [N, E].
  public func encodeImage(_ pixels: Tensor, training: Bool = false) -> Tensor {
    let (_, C, H, W) = pixels.shape4
    let R = configuration.imageResolution
    precondition((C, H, W) == (3, R, R), "images \(pixels.shape) for a CLIP of 3×\(R)×\(R)")
    return visual(pixels, training: training)
  }

  /// Embeds captions.
  ///
  /// - Parameter tokens: From `CLIPTokenizer.tokenize`, int64 [N, L] with L up to the context length.
  /// - Returns: Features of any length, [N, E].
  public func encodeText(_ tokens: Tensor) -> Tensor {
    let (N, L) = tokens.shape2
    precondition(
      L <= configuration.contextLength,
      "captions of \(L) tokens for a context of \(configuration.contextLength)"
    )
    let x = tokenEmbedding(tokens) + positionalEmbedding.sliced(0, 0..<L)  // [N, L, W]
    let last = lnFinal(transformer(x, causal: true))
    // The end mark has the largest id; what stands there has seen the whole caption.
    let starts = (Tensor.range(N).to(tokens.device) * Double(L)).to(.int64)
    let ends = starts + tokens.indexOfLargest(1)
    return last.reshaped(N * L, last.size(2)).gathered(0, ends).matmul(textProjection)
  }

  /// Scaled cosines of every image with every caption.
  ///
  /// - Parameters:
  ///   - imageFeatures: [N, E], of any length.
  ///   - textFeatures: [M, E], of any length.
  /// - Returns: [N, M].
  public func logits(_ imageFeatures: Tensor, _ textFeatures: Tensor) -> Tensor {
    let cosines = imageFeatures.normalized().matmul(textFeatures.normalized().transposed())
    return cosines * logitScale.exponential()
  }

  /// Normalises pixels for `encodeImage`.
  ///
  /// - Parameter images: [N, 3, H, W] with values in [0, 1].
  /// - Returns: The same shape, zero mean and unit deviation over CLIP's training images.
  public static func normalize(_ images: Tensor) -> Tensor {
    (images - channels(CLIPConfiguration.pixelMean, like: images))
      / channels(CLIPConfiguration.pixelDeviation, like: images)
  }

  /// A value for each channel, [1, 3, 1, 1], of the images' type and device.
  private static func channels(_ values: [Double], like images: Tensor) -> Tensor {
    .concatenated(values.map { .full([1, 1, 1, 1], $0, device: images.device) }, 1)
      .to(images.dtype)
  }

  private static func imageTower(
    _ configuration: CLIPConfiguration,
    random: any RandomSource
  ) -> any CLIPImageTower {
    switch configuration.vision {
    case .transformer(let layers, let width, let patch, let heads):
      CLIPVisionTransformer(
        resolution: configuration.imageResolution,
        layers: layers,
        width: width,
        patch: patch,
        heads: heads,
        embedDimension: configuration.embedDimension,
        activation: configuration.activation ?? .quickGELU,
        random: random
      )
    case .resnet(let layers, let width, let heads):
      CLIPResNet(
        resolution: configuration.imageResolution,
        layers: layers,
        width: width,
        heads: heads,
        embedDimension: configuration.embedDimension,
        random: random
      )
    case .convolutional(let channels):
      CLIPConvolutionTower(
        channels: channels,
        embedDimension: configuration.embedDimension,
        random: random
      )
    }
  }
}

/// A table of token vectors.
final class CLIPTokenEmbedding: Module {
  /// [vocabulary, W].
  @Parameter var weight: Tensor

  init(_ count: Int, _ width: Int, random: any RandomSource) {
    _weight = Parameter(wrappedValue: random.normal([count, width], deviation: 0.02))
  }

  func callAsFunction(_ tokens: Tensor) -> Tensor { .embedding(weight, tokens) }
}
