import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Networks

/// Memory order must change nothing but the order in memory.
@Suite("Channels innermost")
struct ChannelsLastTests {
  /// One operation on images [2, 8, 8, 8] with weights of its own.
  struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let weights: [[Int]]
    let apply: @Sendable (Tensor, [Tensor]) -> Tensor

    init(
      _ name: String,
      weights: [[Int]] = [],
      _ apply: @escaping @Sendable (Tensor, [Tensor]) -> Tensor
    ) {
      (testDescription, self.weights, self.apply) = (name, weights, apply)
    }
  }

  private static var filter: Tensor { resamplingFilter([1, 3, 3, 1]).to(.float64) }
  private static var separable: Tensor {
    resamplingFilter([1, 2, 3, 4, 4, 3, 2, 1]).to(.float64)
  }

  static let operations = [
    Operation("filter") { x, _ in filtered(x, filter: filter, padding: Padding(1)) },
    Operation("separable filter") { x, _ in filtered(x, filter: separable) },
    Operation("enlarge") { x, _ in upsampled(x, filter: filter) },
    Operation("shrink") { x, _ in downsampled(x, filter: filter) },
    Operation("crop, enlarge and keep every third") { x, _ in
      upFirDown(x, filter: nil, up: (2, 2), down: (3, 3), padding: Padding(-1))
    },
    Operation("bias, activation and clamp", weights: [[8]]) { x, weights in
      biasActivation(x * x, bias: weights[0], activation: .leakyReLU, clamp: 1)
    },
    Operation("convolution", weights: [[6, 8, 3, 3]]) { x, weights in
      resampledConvolution(x, weights[0], padding: Padding(1))
    },
    Operation("convolution that shrinks", weights: [[6, 8, 3, 3]]) { x, weights in
      resampledConvolution(x, weights[0], filter: filter, down: 2, padding: Padding(1))
    },
    Operation("convolution of 1 × 1 that shrinks", weights: [[6, 8, 1, 1]]) { x, weights in
      resampledConvolution(x, weights[0], filter: filter, down: 2)
    },
    Operation("convolution of 1 × 1 that enlarges", weights: [[6, 8, 1, 1]]) { x, weights in
      resampledConvolution(x, weights[0], filter: filter, up: 2)
    },
    Operation("grouped convolution that enlarges", weights: [[6, 4, 3, 3]]) { x, weights in
      resampledConvolution(
        x,
        weights[0],
        filter: filter,
        up: 2,
        padding: Padding(1),
        groups: 2,
        flipWeight: false
      )
    },
    Operation("modulated convolution", weights: [[6, 8, 3, 3], [2, 8], [2, 1, 8, 8]]) {
      x,
      weights in
      modulatedConvolution(
        x,
        weight: weights[0],
        styles: weights[1],
        noise: weights[2],
        padding: 1
      )
    },
    Operation("modulated convolution that enlarges", weights: [[6, 8, 3, 3], [2, 8], [16, 16]]) {
      x,
      weights in
      modulatedConvolution(
        x,
        weight: weights[0],
        styles: weights[1],
        noise: weights[2],
        up: 2,
        padding: 1,
        filter: filter,
        flipWeight: false
      )
    },
    Operation("colours", weights: [[3, 8, 1, 1], [2, 8]]) { x, weights in
      modulatedConvolution(x, weight: weights[0], styles: weights[1], demodulate: false)
    },
    Operation("minibatch deviation") { x, _ in
      minibatchStandardDeviation(x, groupSize: 2, channels: 2)
    },
  ]

  /// The result, the slopes by image and weights, and the derivatives of the slopes' squares.
  private func derivatives(_ operation: Operation, _ format: MemoryFormat) -> [Tensor] {
    let random = SeededRandom(seed: 4)
    let x = random.normal([2, 8, 8, 8]).to(.float64).laidOut(format)
    let weights = operation.weights.map { random.normal($0).to(.float64) }
    let inputs = [x] + weights
    for input in inputs { input.requiresGradient = true }
    let y = operation.apply(x, weights)
    #expect(y.memoryFormat == format, "\(y.shape) with strides \(y.strides)")
    let slopes = gradients(
      of: [(y * random.normal(y.shape).to(.float64)).squared()],
      withRespectTo: inputs,
      createGraph: true
    ).compactMap { $0 }
    let second = gradients(of: slopes.map { $0.squared() }, withRespectTo: inputs)
    return [y] + slopes + second.compactMap { $0 }
  }

  @Test(arguments: operations)
  func `operations keep the order, and derivatives do not depend on it`(operation: Operation) {
    let plain = derivatives(operation, .contiguous)
    let last = derivatives(operation, .channelsLast)
    #expect(plain.count == 1 + 2 * (1 + operation.weights.count) && last.count == plain.count)
    for (own, expected) in zip(last, plain) {
      let scale = expected.detached().reshaped(-1).largestMagnitude(0).item
      expectClose(own.detached(), expected.detached(), rtol: 1e-9, atol: 1e-9 * scale)
    }
  }
}
