// What networks are made of: convolutions, activations, normalisation, resampling.

extension Tensor {
  /// Correlates images with filters.
  ///
  /// - Parameters:
  ///   - weight: Filters, [O, I / groups, kH, kW].
  ///   - bias: [O], if any.
  ///   - stride: Step in both directions.
  ///   - padding: Zeros added on each side: [vertical, horizontal].
  ///   - groups: Independent groups of channels.
  /// - Returns: [N, O, H', W'].
  public func convolved(
    _ weight: Tensor,
    bias: Tensor? = nil,
    stride: Int = 1,
    padding: [Int] = [0, 0],
    groups: Int = 1
  ) -> Tensor {
    guard let bias else {
      return Network.convolution(self, weight, [stride, stride], padding, false, groups)
    }
    return Network.conv2d(self, weight, bias, [stride, stride], padding, [1, 1], groups)
  }

  /// Correlates images with filters, with a step of its own in each direction: [vertical, horizontal].
  public func convolved(_ weight: Tensor, strides: [Int], groups: Int = 1) -> Tensor {
    Network.convolution(self, weight, strides, [0, 0], false, groups)
  }

  /// The transpose of `convolved`: spreads each pixel over a filter.
  ///
  /// The weight is [I, O / groups, kH, kW].
  public func convolvedTransposed(
    _ weight: Tensor,
    stride: Int = 1,
    padding: [Int] = [0, 0],
    groups: Int = 1
  ) -> Tensor {
    Network.convolution(self, weight, [stride, stride], padding, true, groups)
  }

  /// Up-samples by inserting zeros, pads, filters, and keeps every n-th pixel, in one pass on the CPU
  /// (float32, float64, bfloat16).
  ///
  /// Differentiable any number of times by the image; the filter is a constant. Pairs are
  /// [vertical, horizontal].
  ///
  /// - Parameters:
  ///   - filter: [h, w].
  ///   - up: The image is made this many times larger by zeros.
  ///   - down: Every n-th pixel is kept.
  ///   - before: Zeros above and to the left, in pixels of the larger image; negative numbers crop.
  ///   - after: Zeros below and to the right.
  ///   - flip: Turns the filter round: convolution instead of correlation.
  ///   - gain: Factor on the result.
  /// - Returns: [N, C, H', W'] in the memory order of the image.
  public func resampled(
    _ filter: Tensor,
    up: [Int],
    down: [Int],
    before: [Int],
    after: [Int],
    flip: Bool,
    gain: Double
  ) -> Tensor {
    Network.resample(self, filter, up, down, before, after, flip, gain)
  }

  /// Whether `resampled`, `biasedLeakyReLU`, `modulated` and `demodulated` compute it; elsewhere the same
  /// is composed of libtorch's operators.
  public var hasOwnKernels: Bool {
    device == .cpu && (dtype == .float32 || dtype == .bfloat16 || dtype == .float64)
  }

  /// clamp(gain · leakyReLU(x + bias)) in one pass on the CPU (float32, float64, bfloat16), computed in
  /// float32 at least.
  ///
  /// Differentiable any number of times. What is not clamped is given by an infinite limit.
  ///
  /// - Parameters:
  ///   - bias: [C], along dimension 1.
  ///   - slope: Slope of the negative side: 0 is a ReLU, 1 bends nothing.
  ///   - gain: Positive factor.
  ///   - limit: The result lies within ± it; positive.
  /// - Returns: The shape and memory order of x.
  public func biasedLeakyReLU(_ bias: Tensor, slope: Double, gain: Double, limit: Double) -> Tensor
  {
    Network.biasActivation(self, bias, slope, gain, limit)
  }

  /// Images times a factor of each sample and channel, on the CPU (float32, float64, bfloat16).
  ///
  /// Both gradients are one pass. Differentiable any number of times.
  ///
  /// - Parameter styles: The factors, [N, C].
  /// - Returns: [N, C, H, W] in the type and memory order of the images.
  public func modulated(_ styles: Tensor) -> Tensor { Network.modulate(self, styles) }

  /// clamp(gain · leakyReLU(x · factors + noise + bias)) in one pass on the CPU (float32, float64,
  /// bfloat16), computed in float32 at least; so are its gradients.
  ///
  /// Differentiable any number of times. What is not clamped is given by an infinite limit.
  ///
  /// - Parameters:
  ///   - factors: [N, C].
  ///   - noise: [N, 1, H, W] or [H, W], if any.
  ///   - bias: [C].
  ///   - slope: Slope of the negative side: 0 is a ReLU, 1 bends nothing.
  ///   - gain: Positive factor.
  ///   - limit: The result lies within ± it; positive.
  /// - Returns: The shape and memory order of x, [N, C, H, W].
  public func demodulated(
    _ factors: Tensor,
    noise: Tensor?,
    bias: Tensor,
    slope: Double,
    gain: Double,
    limit: Double
  ) -> Tensor {
    Network.demodulatedActivation(self, factors, noise, bias, slope, gain, limit)
  }

  /// x · weightᵀ + bias; weight [out, in].
  public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    Network.linear(self, weight, bias)
  }

  /// bias + self · other for matrices, fused.
  public func addMatmul(bias: Tensor, _ other: Tensor) -> Tensor {
    Network.addmm(bias, self, other)
  }

  /// `other1 · other2 · factor` added to self.
  public func adding(product first: Tensor, _ second: Tensor, factor: Double = 1) -> Tensor {
    Network.addcmul(self, first, second, factor)
  }

  /// max(x, 0).
  public func relu() -> Tensor { Network.relu(self) }
  /// x where positive, else slope · x.
  public func leakyReLU(_ slope: Double = 0.2) -> Tensor { Network.leakyReLU(self, slope) }
  /// 1 / (1 + e⁻ˣ).
  public func sigmoid() -> Tensor { Network.sigmoid(self) }
  /// The hyperbolic tangent.
  public func tanh() -> Tensor { Network.tanh(self) }
  /// x where positive, else eˣ − 1 (arXiv 1511.07289).
  public func elu() -> Tensor { Network.elu(self) }
  /// The self-normalising unit of arXiv 1706.02515.
  public func selu() -> Tensor { Network.selu(self) }
  /// x · Φ(x) (arXiv 1606.08415).
  public func gelu() -> Tensor { Network.gelu(self) }
  /// log(1 + exp(x)).
  public func softplus() -> Tensor { Network.softplus(self) }
  /// x · sigmoid(x).
  public func silu() -> Tensor { Network.silu(self) }

  /// Normalises over the last dimension, then scales and shifts.
  public func layerNormalized(weight: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
    Network.layerNorm(self, [size(-1)], weight, bias, epsilon)
  }

  /// Batch normalisation of [N, C, …] with given statistics (`training` false), or with those of the
  /// batch, which are then also averaged into `mean` and `variance`.
  public func batchNormalized(
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    training: Bool,
    momentum: Double = 0.1,
    epsilon: Double
  ) -> Tensor {
    Network.batchNorm(self, weight, bias, mean, variance, training, momentum, epsilon, false)
  }

  /// Group normalisation of [N, C, …].
  public func groupNormalized(
    groups: Int,
    weight: Tensor,
    bias: Tensor,
    epsilon: Double = 1e-5
  ) -> Tensor {
    Network.groupNorm(self, groups, weight, bias, epsilon)
  }

  /// Rows of an embedding table [V, D] for int64 indices of any shape.
  public static func embedding(_ table: Tensor, _ indices: Tensor) -> Tensor {
    Network.embedding(table, indices)
  }

  /// softmax(q·kᵀ/√d + mask)·v for [N, heads, length, d].
  public static func attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor? = nil,
    causal: Bool = false
  ) -> Tensor {
    Network.attention(query, key, value, mask, 0.0, causal)
  }

  /// Means over k × k squares.
  public func averagePooled(_ k: Int) -> Tensor { Network.avgPool2d(self, [k, k]) }
  /// Largest values over k × k squares with a stride.
  public func maxPooled(_ k: Int, stride: Int, padding: Int = 0) -> Tensor {
    Network.maxPool2d(self, [k, k], [stride, stride], [padding, padding])
  }

  /// Bicubic resampling (align_corners false) of [N, C, H, W]: a = −0.75; with `antialias` a = −0.5, as in image
  /// libraries.
  public func bicubic(height: Int, width: Int, antialias: Bool = false) -> Tensor {
    antialias
      ? Network.bicubicAntialiased(self, [height, width], false, [Double]?.none)
      : Network.bicubic(self, [height, width], false, [Double]?.none)
  }

  /// Bilinear resampling (align_corners false) of [N, C, H, W]; `antialias` as in image libraries.
  public func bilinear(height: Int, width: Int, antialias: Bool = false) -> Tensor {
    antialias
      ? Network.bilinearAntialiased(self, [height, width], false, [Double]?.none)
      : Network.bilinear(self, [height, width], false, [Double]?.none)
  }

  /// Each pixel repeated `factor` times in both directions.
  public func nearest(_ factor: Int) -> Tensor {
    let (_, _, H, W) = shape4
    return Network.nearest(self, [H * factor, W * factor], [Double]?.none)
  }

  /// The sampling grid [N, H, W, 2] of an affine map `theta` [N, 2, 3], align_corners false.
  public static func affineGrid(_ theta: Tensor, shape: [Int]) -> Tensor {
    Network.affineGrid(theta, shape, false)
  }

  /// Bilinear samples at `grid` positions in [−1, 1], align_corners false; outside of the image are
  /// zeros, or its border goes on.
  public func sampled(at grid: Tensor, extendingBorder: Bool = false) -> Tensor {
    Network.gridSampler(self, grid, 0, extendingBorder ? 1 : 0, false)
  }
}

private enum Network {
  static let conv2d = Operator("aten::conv2d")
  /// Ours: its derivatives are convolutions, however often it is derived (Sources/C/CTorch/convolution.cpp).
  static let convolution = Operator("nifty::convolution")
  /// Ours: Sources/C/CTorch/resample.cpp.
  static let resample = Operator("nifty::resample")
  /// Ours: Sources/C/CTorch/bias_activation.cpp.
  static let biasActivation = Operator("nifty::bias_activation")
  /// Ours: Sources/C/CTorch/modulation.cpp.
  static let modulate = Operator("nifty::modulate")
  static let demodulatedActivation = Operator("nifty::demodulated_activation")
  static let linear = Operator("aten::linear")
  static let addmm = Operator("aten::addmm")
  static let addcmul = Operator("aten::addcmul")
  static let relu = Operator("aten::relu")
  static let leakyReLU = Operator("aten::leaky_relu")
  static let sigmoid = Operator("aten::sigmoid")
  static let tanh = Operator("aten::tanh")
  static let elu = Operator("aten::elu")
  static let selu = Operator("aten::selu")
  static let gelu = Operator("aten::gelu")
  static let softplus = Operator("aten::softplus")
  static let silu = Operator("aten::silu")
  static let layerNorm = Operator("aten::layer_norm")
  static let batchNorm = Operator("aten::batch_norm")
  static let groupNorm = Operator("aten::group_norm")
  static let embedding = Operator("aten::embedding")
  static let attention = Operator("aten::scaled_dot_product_attention")
  static let avgPool2d = Operator("aten::avg_pool2d")
  static let maxPool2d = Operator("aten::max_pool2d")
  static let bicubic = Operator("aten::upsample_bicubic2d.vec")
  static let bicubicAntialiased = Operator("aten::_upsample_bicubic2d_aa.vec")
  static let bilinear = Operator("aten::upsample_bilinear2d.vec")
  static let bilinearAntialiased = Operator("aten::_upsample_bilinear2d_aa.vec")
  static let nearest = Operator("aten::upsample_nearest2d.vec")
  static let affineGrid = Operator("aten::affine_grid_generator")
  static let gridSampler = Operator("aten::grid_sampler_2d")
}
