import Torch
import TorchNN

/// CLIP's ResNet (Radford et al., arXiv 2103.00020, section 2.4): a stem of three convolutions, strides
/// by average pooling in front of the convolution, attention pooling at the end.
final class CLIPResNet: CLIPImageTower {
  private let stem: [CLIPNormalizedConvolution]
  private let layers: [[CLIPBottleneck]]
  private let attentionPool: CLIPAttentionPool

  init(
    resolution: Int,
    layers: [Int],
    width: Int,
    heads: Int,
    embedDimension: Int,
    random: any RandomSource
  ) {
    stem = [
      CLIPNormalizedConvolution(3, width / 2, kernel: 3, stride: 2, random: random),
      CLIPNormalizedConvolution(width / 2, width / 2, kernel: 3, random: random),
      CLIPNormalizedConvolution(width / 2, width, kernel: 3, random: random),
    ]
    var inputs = width
    self.layers = layers.enumerated().map { stage, count in
      (0..<count).map { block in
        let planes = width << stage
        defer { inputs = planes * CLIPBottleneck.expansion }
        let stride = stage > 0 && block == 0 ? 2 : 1
        return CLIPBottleneck(inputs, planes: planes, stride: stride, random: random)
      }
    }
    attentionPool = CLIPAttentionPool(
      side: resolution / 32,
      width: width * 32,
      heads: heads,
      embedDimension: embedDimension,
      random: random
    )
  }

  // The stem's convolutions lie beside the stages in the published names.
  var members: [(key: String, member: Member)] {
    stem.enumerated().flatMap { $1.members(number: $0 + 1) }
      + layers.enumerated().flatMap { stage, blocks in
        blocks.enumerated().map { ("layer\(stage + 1).\($0)", .module($1)) }
      }
      + [("attnpool", .module(attentionPool))]
  }

  func callAsFunction(_ pixels: Tensor, training: Bool) -> Tensor {
    var x = stem.reduce(pixels) { $1($0, training: training).relu() }.averagePooled(2)
    for block in layers.joined() { x = block(x, training: training) }
    return attentionPool(x)
  }
}

/// A convolution without bias and its batch normalisation: two modules under numbered names.
final class CLIPNormalizedConvolution {
  private let convolution: Convolution2d
  let normalization: BatchNorm2d

  init(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, random: any RandomSource) {
    convolution = Convolution2d(
      inputs,
      outputs,
      kernel: kernel,
      stride: stride,
      padding: kernel / 2,
      bias: false,
      random: random
    )
    normalization = BatchNorm2d(outputs)
  }

  func members(number: Int) -> [(key: String, member: Member)] {
    [("conv\(number)", .module(convolution)), ("bn\(number)", .module(normalization))]
  }

  var sequentialMembers: [(key: String, member: Member)] {
    [("0", .module(convolution)), ("1", .module(normalization))]
  }

  func callAsFunction(_ x: Tensor, training: Bool) -> Tensor {
    normalization(convolution(x), training: training)
  }
}

/// A bottleneck block (He et al., arXiv 1512.03385) whose stride is an average pooling.
final class CLIPBottleneck: Module {
  /// Output channels for each of the inner ones.
  static let expansion = 4

  private let convolutions: [CLIPNormalizedConvolution]
  private let downsample: CLIPNormalizedConvolution?
  private let stride: Int

  init(_ inputs: Int, planes: Int, stride: Int, random: any RandomSource) {
    let outputs = planes * Self.expansion
    let widening = CLIPNormalizedConvolution(planes, outputs, kernel: 1, random: random)
    // A block starts as its shortcut.
    withoutGradients { widening.normalization.weight.fill(0) }
    convolutions = [
      CLIPNormalizedConvolution(inputs, planes, kernel: 1, random: random),
      CLIPNormalizedConvolution(planes, planes, kernel: 3, random: random),
      widening,
    ]
    downsample =
      stride > 1 || inputs != outputs
      ? CLIPNormalizedConvolution(inputs, outputs, kernel: 1, random: random) : nil
    self.stride = stride
  }

  var members: [(key: String, member: Member)] {
    convolutions.enumerated().flatMap { $1.members(number: $0 + 1) }
      + (downsample?.sequentialMembers.map { ("downsample.\($0.key)", $0.member) } ?? [])
  }

  func callAsFunction(_ x: Tensor, training: Bool) -> Tensor {
    let inner = convolutions.prefix(2).reduce(x) { $1($0, training: training).relu() }
    let change = convolutions[2](pooled(inner), training: training)
    let shortcut = downsample.map { $0(pooled(x), training: training) } ?? x
    return (change + shortcut).relu()
  }

  private func pooled(_ x: Tensor) -> Tensor { stride > 1 ? x.averagePooled(stride) : x }
}

/// Pools a feature map by attention, with the mean over the map as the query.
final class CLIPAttentionPool: Module {
  /// [side² + 1, W].
  @Parameter var positionalEmbedding: Tensor
  private let kProj: Linear
  private let qProj: Linear
  private let vProj: Linear
  private let cProj: Linear
  private let heads: Int

  init(side: Int, width: Int, heads: Int, embedDimension: Int, random: any RandomSource) {
    let scale = 1 / Double(width).squareRoot()
    _positionalEmbedding = Parameter(
      wrappedValue: random.normal([side * side + 1, width], deviation: scale)
    )
    kProj = Linear(width, width, random: random)
    qProj = Linear(width, width, random: random)
    vProj = Linear(width, width, random: random)
    cProj = Linear(width, embedDimension, random: random)
    self.heads = heads
  }

  /// - Parameter x: [N, W, side, side].
  /// - Returns: [N, E].
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (N, W, H, V) = x.shape4
    let places = x.reshaped(N, W, H * V).transposed(1, 2)
    let mean = places.mean(1, keeping: true)
    let tokens = Tensor.concatenated([mean, places], 1) + positionalEmbedding.to(x.dtype)
    func split(_ t: Tensor) -> Tensor {
      t.reshaped(N, t.size(1), heads, W / heads).transposed(1, 2)  // [N, heads, length, W / heads]
    }
    let pooled = Tensor.attention(
      query: split(qProj(tokens.sliced(1, 0..<1))),
      key: split(kProj(tokens)),
      value: split(vProj(tokens))
    )
    return cProj(pooled.reshaped(N, W))
  }
}
