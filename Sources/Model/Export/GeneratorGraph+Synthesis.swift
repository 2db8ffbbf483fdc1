import Networks
import ONNX
import Torch

/// The blocks: feature maps and image of each resolution.
extension GeneratorGraph {
  /// w → image [N, 3, R, R], float32.
  func synthesis(_ w: ONNXValue) -> ONNXValue {
    let constant = "synthesis.b4.const"
    let shape = [1] + writer.tensor(constant).shape
    var x = writer.weight(constant, shape: shape) { $0.unsqueezed(0) }
    var type = ONNXType.float32
    var image: ONNXValue?
    for resolution in configuration.resolutions {
      let block = "synthesis.b\(resolution)"
      let own: ONNXType = isReduced(resolution) ? .float16 : .float32
      if own != type { x = writer.cast(x, to: own, in: block) }
      type = own
      if resolution > 4 { x = convolution(x, "\(block).conv0", resolution, up: true, w: w, type) }
      x = convolution(x, "\(block).conv1", resolution, up: false, w: w, type)
      let rgb = toRGB(x, "\(block).torgb", resolution, w: w, type)
      image =
        image.map { writer.graph.add("Add", [upsampled($0, in: block), rgb], in: block) } ?? rgb
    }
    guard let image else { preconditionFailure("a generator has at least one block") }
    return image
  }

  /// Whether a block computes in float16: where the network does so itself and keeps within bounds.
  private func isReduced(_ resolution: Int) -> Bool {
    computesHalf && configuration.clamp != nil && resolution >= 8
      && configuration.resolutions.suffix(configuration.reducedPrecisionResolutions)
        .contains(resolution)
  }

  /// Styled convolution: modulation, convolution, noise, bias, leaky ReLU with its gain, clamp.
  private func convolution(
    _ x: ONNXValue,
    _ name: String,
    _ resolution: Int,
    up: Bool,
    w: ONNXValue,
    _ type: ONNXType
  ) -> ONNXValue {
    let graph = writer.graph
    var styles = style(name, resolution: resolution, w: w)
    if type == .float16 {
      // Normalisation cancels the factor; without it sums overflow in half precision.
      let axes: [(String, ONNXAttribute)] = [("axes", .ints([1])), ("keepdims", .int(1))]
      let size = graph.add("Abs", [styles], in: name)
      styles = graph.add("Div", [styles, graph.add("ReduceMax", [size], in: name, axes)], in: name)
    }
    let scaled = graph.add("Mul", [x, perChannel(styles, name, type)], in: name)
    let kernel = self.kernel(name, up: up, type)
    let large =
      up
      ? filtered(
        graph.add("ConvTranspose", [scaled, kernel], in: name, [("strides", .ints([2, 2]))]),
        name,
        type
      )
      : graph.add("Conv", [scaled, kernel], in: name, [("pads", .ints([1, 1, 1, 1]))])
    let factors = perChannel(demodulation(styles, name, type), name, type)
    var y = graph.add("Mul", [large, factors], in: name)
    y = graph.add("Add", [y, noiseMap(name, resolution, type)], in: name)
    y = graph.add("Add", [y, bias(name, type, gain: 2.0.squareRoot())], in: name)
    return clamped(leakyReLU(y, in: name), name, type)
  }

  /// A modulated 1 × 1 convolution to RGB, float32.
  private func toRGB(
    _ x: ONNXValue,
    _ name: String,
    _ resolution: Int,
    w: ONNXValue,
    _ type: ONNXType
  ) -> ONNXValue {
    let graph = writer.graph
    let channels = writer.tensor("\(name).weight").size(1)
    let gain = 1 / Double(channels).squareRoot()
    let styles = style(name, resolution: resolution, w: w, gain: gain)
    let scaled = graph.add("Mul", [x, perChannel(styles, name, type)], in: name)
    let kernel =
      type == .float16 ? rounded("\(name).weight") : writer.weight("\(name).weight")
    let y = graph.add("Conv", [scaled, kernel], in: name)
    let rgb = clamped(graph.add("Add", [y, bias(name, type)], in: name), name, type)
    return type == .float32 ? rgb : writer.cast(rgb, to: .float32, in: name)
  }

  // MARK: Weights

  /// The kernel of a styled convolution: [O, I, 3, 3], or [I, O, 3, 3] for one that enlarges.
  private func kernel(_ name: String, up: Bool, _ type: ONNXType) -> ONNXValue {
    let weight = "\(name).weight"
    let shape = writer.tensor(weight).shape
    func turned(_ tensor: Tensor) -> Tensor { up ? tensor.transposed(0, 1) : tensor }
    let own = up ? [shape[1], shape[0], shape[2], shape[3]] : shape
    if type == .float32 { return writer.weight(weight, shape: own, turned) }
    return writer.constant(weight, .float16, own) { [self] in turned(normalizedKernel(weight)) }
  }

  /// A kernel whose largest weight of each output is 1 / √(I · k²), as `modulatedConvolution` has it in half
  /// precision.
  private func normalizedKernel(_ name: String) -> Tensor {
    let weight = writer.tensor(name)
    let scale = 1 / Double(weight.count / weight.size(0)).squareRoot()
    return weight * scale / weight.largestMagnitude(1, 2, 3, keeping: true)
  }

  /// A weight of the state for computing in float16.
  private func rounded(_ name: String) -> ONNXValue {
    writer.constant(name, .float16, writer.tensor(name).shape) { [writer] in writer.tensor(name) }
  }

  /// √2 / √(Σᵢ sᵢ² · Σₖ w² + ε), [N, O], float32.
  ///
  /// Brings every output channel to unit scale, times the gain of the leaky ReLU behind it.
  private func demodulation(_ styles: ONNXValue, _ name: String, _ type: ONNXType) -> ONNXValue {
    let graph = writer.graph
    let weight = "\(name).weight"
    let squares = writer.constant(
      "\(weight).squares",
      .float32,
      Array(writer.tensor(weight).shape.prefix(2))
    ) { [self] in
      let kernel = type == .float16 ? normalizedKernel(weight) : writer.tensor(weight)
      return kernel.squared().sum(2, 3) / 2
    }
    let norms = graph.add(
      "Gemm",
      [graph.add("Mul", [styles, styles], in: name), squares, writer.scalar(1e-8 / 2)],
      in: name,
      [("transB", .int(1))]
    )
    return graph.add("Reciprocal", [graph.add("Sqrt", [norms], in: name)], in: name)
  }

  /// The layer's stored noise times its strength, the input `noise`, and the leaky ReLU's gain.
  private func noiseMap(_ name: String, _ resolution: Int, _ type: ONNXType) -> ONNXValue {
    let graph = writer.graph
    let strength = writer.constant("\(name).noise_strength", .float32, []) { [writer] in
      writer.tensor("\(name).noise_strength") * 2.0.squareRoot()
    }
    var factor = graph.add("Mul", [noise, strength], in: name)
    if type == .float16 { factor = writer.cast(factor, to: .float16, in: name) }
    let map = "\(name).noise_const"
    let values = type == .float16 ? rounded(map) : writer.weight(map)
    return graph.add("Mul", [values, factor], in: name)
  }

  private func bias(_ name: String, _ type: ONNXType, gain: Double = 1) -> ONNXValue {
    let bias = "\(name).bias"
    let count = writer.tensor(bias).count
    return writer.constant(bias, type, [1, count, 1, 1]) { [writer] in
      writer.tensor(bias).reshaped(1, count, 1, 1) * gain
    }
  }

  // MARK: Operations

  /// [N, C] float32 → [N, C, 1, 1] of a type.
  private func perChannel(_ x: ONNXValue, _ name: String, _ type: ONNXType) -> ONNXValue {
    let own = type == .float32 ? x : writer.cast(x, to: type, in: name)
    return writer.graph.add("Unsqueeze", [own, writer.integers([2, 3])], in: name)
  }

  private func clamped(_ x: ONNXValue, _ name: String, _ type: ONNXType) -> ONNXValue {
    guard let clamp = configuration.clamp else { return x }
    let bounds = [writer.scalar(-clamp, type), writer.scalar(clamp, type)]
    return writer.graph.add("Clip", [x] + bounds, in: name)
  }

  /// The low-pass filter behind an enlarging convolution, [N, C, 2H + 1, 2W + 1] → [N, C, 2H, 2W].
  private func filtered(_ x: ONNXValue, _ name: String, _ type: ONNXType) -> ONNXValue {
    let channels = writer.tensor("\(name).weight").size(0)
    let taps = filter("\(name).resample_filter", channels, type) { $0.flipped(0, 1) }
    return writer.graph.add(
      "Conv",
      [x, taps],
      in: name,
      [("group", .int(channels)), ("pads", .ints([1, 1, 1, 1]))]
    )
  }

  /// Twice the image, [N, 3, H, W] → [N, 3, 2H, 2W]: zeros between the pixels and the low-pass filter, which
  /// together are a transposed convolution.
  private func upsampled(_ image: ONNXValue, in block: String) -> ONNXValue {
    let taps = filter("\(block).resample_filter", 3, .float32) { $0 }
    return writer.graph.add(
      "ConvTranspose",
      [image, taps],
      in: block,
      [("group", .int(3)), ("pads", .ints([1, 1, 1, 1])), ("strides", .ints([2, 2]))]
    )
  }

  /// The filter for each of so many channels, times 4 for the zeros between the pixels.
  private func filter(
    _ name: String,
    _ channels: Int,
    _ type: ONNXType,
    _ orient: @escaping (Tensor) -> Tensor
  ) -> ONNXValue {
    let shape = writer.tensor(name).shape
    return writer.constant(name, type, [channels, 1] + shape) { [writer] in
      orient(writer.tensor(name) * 4).reshaped(1, 1, shape[0], shape[1])
        .expanded(channels, 1, shape[0], shape[1])
    }
  }
}
