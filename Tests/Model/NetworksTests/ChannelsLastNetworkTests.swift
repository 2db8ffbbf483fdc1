import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Networks

/// LAFITE's `--nhwc` in the networks.
@Suite("Networks with channels innermost")
struct ChannelsLastNetworkTests {
  private func generatorShape(_ channelsLast: Bool?) -> GeneratorConfiguration {
    var shape = GeneratorConfiguration.small(channelBase: 128)
    shape.clamp = 256
    shape.reducedPrecisionResolutions = 4
    shape.channelsLast = channelsLast
    return shape
  }

  private func discriminatorShape(_ channelsLast: Bool?) -> DiscriminatorConfiguration {
    var shape = DiscriminatorConfiguration.small(channelBase: 128)
    shape.minibatchGroup = 2
    shape.clamp = 256
    shape.reducedPrecisionResolutions = 1
    shape.channelsLast = channelsLast
    return shape
  }

  /// Row-major strides of [2, C, H, H], or those with channels innermost.
  private func strides(_ shape: [Int], _ format: MemoryFormat) -> [Int] {
    let (C, H, W) = (shape[1], shape[2], shape[3])
    return format == .channelsLast ? [C * H * W, 1, W * C, C] : [C * H * W, H * W, W, 1]
  }

  static let choices: [(asked: Bool?, dtype: DType, expected: MemoryFormat)] = [
    (true, .bfloat16, .channelsLast), (false, .bfloat16, .contiguous),
    (true, .float16, .channelsLast), (false, .float16, .contiguous),
    (nil, .bfloat16, Device.cpu.reducedPrecisionLayout),
    // A block in full precision leaves the order alone.
    (true, .float32, .contiguous),
  ]

  @Test(arguments: choices)
  func `blocks in reduced precision have the order that is asked for`(
    asked: Bool?,
    dtype: DType,
    expected: MemoryFormat
  ) {
    let random = SeededRandom(seed: 1)
    let block = SynthesisBlock(
      resolution: 16,
      configuration: generatorShape(asked),
      dtype: dtype,
      random: random
    )
    // Whatever order comes in, as from a block of another precision.
    for given in [MemoryFormat.contiguous, .channelsLast] where dtype != .float32 {
      let (x, image, _) = block(
        x: random.normal([2, 8, 8, 8]).laidOut(given),
        image: random.normal([2, 3, 8, 8]),
        ws: random.normal([2, 3, 8]),
        fts: random.normal([2, 6]),
        noiseMode: .random(random)
      )
      #expect(x.dtype == dtype && x.shape == [2, 8, 16, 16])
      #expect(x.strides == strides(x.shape, expected))
      #expect(image.dtype == .float32 && image.shape == [2, 3, 16, 16])
    }
    let judge = DiscriminatorBlock(
      resolution: 16,
      configuration: discriminatorShape(asked),
      dtype: dtype,
      frozen: 0,
      random: random
    )
    let y = judge(random.normal([2, 3, 16, 16]))
    #expect(y.dtype == dtype && y.shape == [2, 8, 8, 8])
    #expect(y.strides == strides(y.shape, expected))
  }

  /// Images, the gradients of a plain loss and those of the path length by G's parameters.
  private func generatorResults(_ channelsLast: Bool?, _ dtype: DType) -> [Tensor] {
    let random = SeededRandom(seed: 3)
    let network = Generator(generatorShape(channelsLast), reducedPrecision: dtype, random: random)
    let fts = random.normal([4, 6]).normalized()
    let ws = network.mapping(random.normal([4, 8]))
    let image = network.synthesize(ws, fts: fts, noiseMode: .random(random)).image
    let parameters = network.parameters
    let first = gradients(of: [image.squared()], withRespectTo: parameters, retainGraph: true)
    let noise = random.normal(image.shape) / 16
    let slopes = gradient(of: (image * noise).sum(), withRespectTo: ws, createGraph: true)
    let lengths = slopes.squared().sum(2).mean(1).squareRoot()
    let second = gradients(of: [(lengths - 1).squared()], withRespectTo: parameters)
    return [image, joined(first), joined(second)]
  }

  /// Logits, the gradients of a plain loss and those of R1 by D's parameters.
  private func discriminatorResults(_ channelsLast: Bool?, _ dtype: DType) -> [Tensor] {
    let random = SeededRandom(seed: 5)
    let network = Discriminator(
      discriminatorShape(channelsLast),
      reducedPrecision: dtype,
      random: random
    )
    let images = random.uniform([4, 3, 16, 16]) * 2 - 1
    images.requiresGradient = true
    let logits = network(images, fts: random.normal([4, 6]).normalized()).logits
    let parameters = network.parameters
    let first = gradients(of: [logits.softplus()], withRespectTo: parameters, retainGraph: true)
    let slopes = gradient(of: logits.sum(), withRespectTo: images, createGraph: true)
    let second = gradients(of: [slopes.squared().sum(1, 2, 3)], withRespectTo: parameters)
    return [logits, joined(first), joined(second)]
  }

  private func joined(_ gradients: [Tensor?]) -> Tensor {
    .concatenated(gradients.compactMap { $0?.detached().reshaped(-1) })
  }

  private func relativeL2(_ own: Tensor, _ expected: Tensor) -> Double {
    let (own, expected) = (own.detached(), expected.detached())
    return ((own - expected).squared().sum().item / expected.squared().sum().item).squareRoot()
  }

  // Blocks in float64 show that the order alone changes nothing: what is left is the float32 around.
  @Test(arguments: [(DType.float64, 1e-5), (.bfloat16, 3e-2)])
  func `images, logits, gradients, path length and R1 do not depend on the order`(
    dtype: DType,
    tolerance: Double
  ) {
    for results in [generatorResults, discriminatorResults] {
      let (last, plain) = (results(true, dtype), results(false, dtype))
      for (own, expected) in zip(last, plain) {
        #expect(own.shape == expected.shape && own.isFinite)
        let apart = relativeL2(own, expected)
        #expect(apart < tolerance, "\(apart) of \(expected.shape)")
      }
    }
  }

  @Test func `weights are the same tensors in the same order`() {
    let (last, plain) = (
      Generator(generatorShape(true), random: SeededRandom(seed: 2)),
      Generator(generatorShape(false), random: SeededRandom(seed: 2))
    )
    for (own, other) in zip(last.state, plain.state) {
      #expect(own.name == other.name && own.tensor.bytes == other.tensor.bytes)
      #expect(own.tensor.memoryFormat == .contiguous)
    }
  }
}
