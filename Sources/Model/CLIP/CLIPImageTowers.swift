package import Torch
package import TorchNN

/// The part of a CLIP that embeds images.
protocol CLIPImageTower: Module {
  /// Embeds normalised pixels.
  ///
  /// - Parameters:
  ///   - pixels: [N, 3, R, R].
  ///   - training: Lets batch normalisation use and average the batch's own statistics.
  /// - Returns: [N, E].
  func callAsFunction(_ pixels: Tensor, training: Bool) -> Tensor
}

/// A transformer on patches of the image, with a class token in front (Dosovitskiy et al.,
/// arXiv 2010.11929) and a layer norm before the first block, as in CLIP.
final class CLIPVisionTransformer: CLIPImageTower {
  /// [W].
  @Parameter var classEmbedding: Tensor
  /// [patches + 1, W].
  @Parameter var positionalEmbedding: Tensor
  /// [W, E].
  @Parameter var proj: Tensor
  private let conv1: Convolution2d
  private let lnPre: LayerNorm
  private let transformer: CLIPTransformer
  private let lnPost: LayerNorm

  init(
    resolution: Int,
    layers: Int,
    width: Int,
    patch: Int,
    heads: Int,
    embedDimension: Int,
    activation: CLIPActivation,
    random: any RandomSource
  ) {
    let patches = (resolution / patch) * (resolution / patch)
    let scale = 1 / Double(width).squareRoot()
    conv1 = Convolution2d(3, width, kernel: patch, stride: patch, bias: false, random: random)
    _classEmbedding = Parameter(wrappedValue: random.normal([width], deviation: scale))
    _positionalEmbedding = Parameter(
      wrappedValue: random.normal([patches + 1, width], deviation: scale)
    )
    lnPre = LayerNorm(width)
    transformer = CLIPTransformer(
      width: width,
      layers: layers,
      heads: heads,
      activation: activation,
      random: random
    )
    lnPost = LayerNorm(width)
    _proj = Parameter(wrappedValue: random.normal([width, embedDimension], deviation: scale))
  }

  func callAsFunction(_ pixels: Tensor, training: Bool) -> Tensor {
    let patches = conv1(pixels)  // [N, W, g, g]
    let (N, W, H, V) = patches.shape4
    let tokens = patches.reshaped(N, W, H * V).transposed(1, 2)  // [N, g², W]
    let first = classEmbedding.to(tokens.dtype).reshaped(1, 1, W).expanded(N, 1, W)
    let x = Tensor.concatenated([first, tokens], 1) + positionalEmbedding.to(tokens.dtype)
    let last = transformer(lnPre(x), causal: false)
    return lnPost(last.selected(1, 0)).matmul(proj.to(last.dtype))
  }
}

/// A plain convolutional tower for small images and little data.
///
/// Each stage is two 3×3 convolutions, the first with stride 2, each followed by batch normalisation and
/// ReLU; the mean over the last map goes through one linear layer. With three stages the last map of a
/// 32² image is 4². On a thousand captioned pictures it reaches in minutes what a transformer on patches
/// does not reach in hours: locality need not be learned.
final class CLIPConvolutionTower: CLIPImageTower {
  private let stages: [CLIPConvolutionStage]
  private let proj: Linear

  init(channels: [Int], embedDimension: Int, random: any RandomSource) {
    stages = zip([3] + channels, channels).map { inputs, outputs in
      CLIPConvolutionStage(inputs, outputs, random: random)
    }
    proj = Linear(channels.last ?? 3, embedDimension, random: random)
  }

  func callAsFunction(_ pixels: Tensor, training: Bool) -> Tensor {
    let maps = stages.reduce(pixels.laidOut(.channelsLast)) { $1($0, training: training) }
    return proj(maps.mean(2, 3))
  }
}

/// Two convolutions with batch normalisation and ReLU; halves the resolution.
package final class CLIPConvolutionStage: Module {
  private let conv0: Convolution2d
  private let bn0: BatchNorm2d
  private let conv1: Convolution2d
  private let bn1: BatchNorm2d

  /// A stage with fresh weights.
  package init(_ inputs: Int, _ outputs: Int, random: any RandomSource) {
    conv0 = Convolution2d(
      inputs,
      outputs,
      kernel: 3,
      stride: 2,
      padding: 1,
      bias: false,
      random: random
    )
    bn0 = BatchNorm2d(outputs)
    conv1 = Convolution2d(outputs, outputs, kernel: 3, padding: 1, bias: false, random: random)
    bn1 = BatchNorm2d(outputs)
  }

  /// [N, inputs, H, W] → [N, outputs, H / 2, W / 2].
  package func callAsFunction(_ x: Tensor, training: Bool) -> Tensor {
    guard training else {
      return bn1.rectified(bn0.rectified(x, convolution: conv0), convolution: conv1)
    }
    let half = bn0(conv0(x), training: true).relu()
    return bn1(conv1(half), training: true).relu()
  }
}
