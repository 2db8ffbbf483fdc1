import Torch
import TorchNN

/// CLIP's transformer: pre-norm blocks of self-attention and a four times wider perceptron
/// (Vaswani et al., arXiv 1706.03762; Radford et al., arXiv 2103.00020, section 2.4).
final class CLIPTransformer: Module {
  let resblocks: [CLIPResidualBlock]

  init(
    width: Int,
    layers: Int,
    heads: Int,
    activation: CLIPActivation,
    random: any RandomSource
  ) {
    resblocks = (0..<layers).map { _ in
      CLIPResidualBlock(
        width: width,
        layers: layers,
        heads: heads,
        activation: activation,
        random: random
      )
    }
  }

  /// - Parameters:
  ///   - x: [N, L, W].
  ///   - causal: Whether each position attends only to itself and to earlier ones.
  /// - Returns: [N, L, W].
  func callAsFunction(_ x: Tensor, causal: Bool) -> Tensor {
    resblocks.reduce(x) { $1($0, causal: causal) }
  }
}

/// x + attention(norm(x)), then x + perceptron(norm(x)).
final class CLIPResidualBlock: Module {
  private let attention: CLIPAttention
  private let norm1: LayerNorm
  private let perceptron: CLIPPerceptron
  private let norm2: LayerNorm

  init(
    width: Int,
    layers: Int,
    heads: Int,
    activation: CLIPActivation,
    random: any RandomSource
  ) {
    attention = CLIPAttention(width: width, layers: layers, heads: heads, random: random)
    norm1 = LayerNorm(width)
    perceptron = CLIPPerceptron(
      width: width,
      layers: layers,
      activation: activation,
      random: random
    )
    norm2 = LayerNorm(width)
  }

  var members: [(key: String, member: Member)] {
    [
      ("attn", .module(attention)), ("ln_1", .module(norm1)), ("mlp", .module(perceptron)),
      ("ln_2", .module(norm2)),
    ]
  }

  func callAsFunction(_ x: Tensor, causal: Bool) -> Tensor {
    let attended = x + attention(norm1(x), causal: causal)
    return attended + perceptron(norm2(attended))
  }
}

/// Self-attention with one matrix for queries, keys and values.
final class CLIPAttention: Module {
  /// [3 · W, W].
  @Parameter var inProjWeight: Tensor
  /// [3 · W].
  @Parameter var inProjBias: Tensor
  private let outProj: Linear
  private let heads: Int

  init(width: Int, layers: Int, heads: Int, random: any RandomSource) {
    let deviation = 1 / Double(width).squareRoot()
    _inProjWeight = Parameter(
      wrappedValue: random.normal([3 * width, width], deviation: deviation)
    )
    _inProjBias = Parameter(wrappedValue: .zeros([3 * width]))
    outProj = Linear(width, width, gain: 1 / Double(2 * layers).squareRoot(), random: random)
    self.heads = heads
  }

  /// - Parameters:
  ///   - x: [N, L, W].
  ///   - causal: Whether each position attends only to itself and to earlier ones.
  /// - Returns: [N, L, W].
  func callAsFunction(_ x: Tensor, causal: Bool) -> Tensor {
    let (N, L, W) = (x.size(0), x.size(1), x.size(2))
    let joint = x.linear(inProjWeight.to(x.dtype), bias: inProjBias.to(x.dtype))
    let parts = joint.reshaped(N, L, 3, heads, W / heads).permuted(2, 0, 3, 1, 4)
    let attended = Tensor.attention(
      query: parts.selected(0, 0),  // [N, heads, L, W / heads]
      key: parts.selected(0, 1),
      value: parts.selected(0, 2),
      causal: causal
    )
    return outProj(attended.permuted(0, 2, 1, 3).reshaped(N, L, W))
  }
}

/// Two linear layers around a GELU: x · σ(1.702 · x), the approximation that OpenAI's models were
/// trained with, or the exact one (Hendrycks & Gimpel, arXiv 1606.08415, section 2).
final class CLIPPerceptron: Module {
  private let cFc: Linear
  private let cProj: Linear
  private let activation: CLIPActivation

  init(width: Int, layers: Int, activation: CLIPActivation, random: any RandomSource) {
    self.activation = activation
    cFc = Linear(width, 4 * width, gain: 1 / 2.0.squareRoot(), random: random)
    // From N(0, 1/√(4·W)) to the published 1/√W · 1/√(2·layers).
    let gain = 2 / Double(2 * layers).squareRoot()
    cProj = Linear(4 * width, width, gain: gain, random: random)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let hidden = cFc(x)
    switch activation {
    case .quickGELU: return cProj(hidden * (hidden * 1.702).sigmoid())
    case .gelu: return cProj(hidden.gelu())
    }
  }
}
