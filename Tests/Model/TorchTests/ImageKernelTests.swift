import Foundation
import Testing
import Torch
import TorchTestSupport

/// The kernels of our own for images: resampling by a filter, and bias with leaky ReLU.
@Suite("Image kernels")
struct ImageKernelTests {
  private func double(_ name: String, _ shape: [Int]) -> Tensor {
    formulaTensor(name, shape).to(.float64)
  }

  /// A way to resample [2, 3, 7, 6].
  struct Way: CustomTestStringConvertible, Sendable {
    let taps: [Int]
    let up: [Int]
    let down: [Int]
    let before: [Int]
    let after: [Int]
    var testDescription: String { "\(taps) up \(up) down \(down) by \(before) and \(after)" }
  }

  static let ways = [
    Way(taps: [4, 4], up: [1, 1], down: [1, 1], before: [2, 2], after: [1, 1]),
    Way(taps: [4, 4], up: [2, 2], down: [1, 1], before: [2, 2], after: [1, 1]),
    Way(taps: [4, 4], up: [1, 1], down: [2, 2], before: [1, 1], after: [1, 1]),
    Way(taps: [3, 2], up: [2, 1], down: [3, 2], before: [4, -1], after: [-1, 5]),
    Way(taps: [12, 1], up: [2, 1], down: [2, 1], before: [9, 0], after: [7, 0]),
    Way(taps: [1, 12], up: [2, 2], down: [3, 4], before: [0, 8], after: [-1, 8]),
    Way(taps: [1, 1], up: [1, 3], down: [2, 1], before: [0, 0], after: [0, 0]),
  ]

  private func resampled(_ x: Tensor, _ taps: Tensor, _ way: Way) -> Tensor {
    x.resampled(
      taps,
      up: way.up,
      down: way.down,
      before: way.before,
      after: way.after,
      flip: true,
      gain: 1.5
    )
  }

  /// The definition: zeros inserted, padding, one sum over the filter a pixel.
  private func defined(_ x: [Double], _ size: [Int], _ taps: Tensor, _ way: Way) -> [Double] {
    let (planes, H, W) = (size[0] * size[1], size[2], size[3])
    let line = taps.values(Double.self)
    let (h, w) = taps.shape2
    let rows = (H * way.up[0] + way.before[0] + way.after[0] - h) / way.down[0] + 1
    let columns = (W * way.up[1] + way.before[1] + way.after[1] - w) / way.down[1] + 1
    var result: [Double] = []
    for plane in 0..<planes {
      for row in 0..<rows {
        for column in 0..<columns {
          var sum = 0.0
          for i in 0..<h {
            for j in 0..<w {
              let y = row * way.down[0] + i - way.before[0]
              let x0 = column * way.down[1] + j - way.before[1]
              guard y >= 0, x0 >= 0, y % way.up[0] == 0, x0 % way.up[1] == 0,
                y / way.up[0] < H, x0 / way.up[1] < W
              else { continue }
              // Turned round: a convolution.
              sum +=
                line[(h - 1 - i) * w + w - 1 - j]
                * x[(plane * H + y / way.up[0]) * W + x0 / way.up[1]]
            }
          }
          result.append(sum * 1.5)
        }
      }
    }
    return result
  }

  @Test(arguments: ways, [false, true])
  func `an image is resampled as the definition says`(way: Way, channelsLast: Bool) {
    let (plain, taps) = (double("x", [2, 3, 7, 6]), double("taps", way.taps))
    let x = channelsLast ? plain.laidOut(.channelsLast) : plain
    let y = resampled(x, taps, way)
    #expect(y.memoryFormat == x.memoryFormat)
    let expected = defined(plain.values(), plain.shape, taps, way)
    #expect(y.count == expected.count)
    expectClose(y, Tensor(expected, shape: y.shape), rtol: 0, atol: 1e-12)
  }

  @Test(arguments: ways)
  func `planes that are resampled together come out as each alone`(way: Way) {
    // 301 planes of 7 × 6: several groups and a rest, with float32 and bfloat16.
    let whole = formulaTensor("x", [7, 43, 7, 6])
    let taps = double("taps", way.taps)
    for type in [DType.float32, .bfloat16] {
      let x = whole.to(type)
      let together = resampled(x, taps, way)
      let planes = x.reshaped(301, 1, 7, 6)
      let alone = (0..<301).map { resampled(planes.sliced(0, $0..<$0 + 1), taps, way) }
      #expect(together.floats == Tensor.concatenated(alone).floats)
    }
  }

  @Test(arguments: ways)
  func `resampling has derivatives of every order`(way: Way) {
    let (x, taps) = (double("x", [1, 2, 7, 6]), double("taps", way.taps))
    expectGradient(at: x) { resampled($0, taps, way).tanh().squared().sum() }
    expectGradient(at: x, tolerance: 1e-5) { x in
      let x = x.requiresGradient ? x : x.copy()
      x.requiresGradient = true
      let y = resampled(x, taps, way).tanh().squared().sum()
      return gradient(of: y, withRespectTo: x, createGraph: true).squared().sum()
    }
  }

  @Test func `bias, slope, gain and clamp agree with hand computation`() {
    let x = Tensor([1, -2, 3, -4] as [Float], shape: [1, 2, 1, 2])
    let bias = Tensor([1, -1] as [Float])
    let y = x.biasedLeakyReLU(bias, slope: 0.5, gain: 2, limit: 3)
    // 1 + 1, −2 + 1, 3 − 1, −4 − 1; halved below zero; doubled; within ±3.
    #expect(y.floats == [3, -1, 3, -3])
    let open = x.biasedLeakyReLU(bias, slope: 0.5, gain: 2, limit: .infinity)
    #expect(open.floats == [4, -1, 4, -5])
    let none = Tensor([Float.nan, .infinity], shape: [1, 2])
      .biasedLeakyReLU(bias, slope: 0.5, gain: 2, limit: 3)
    #expect(none.floats[0].isNaN && none.floats[1] == 3)
  }

  @Test(arguments: [[2, 3, 4, 5], [6, 3]], [1, 0.2])
  func `bias and leaky ReLU have derivatives of every order`(shape: [Int], slope: Double) {
    for channelsLast in [false, true] where shape.count == 4 || !channelsLast {
      let plain = double("x", shape)
      let x = channelsLast ? plain.laidOut(.channelsLast) : plain
      let bias = double("bias", [3])
      func y(_ x: Tensor, _ bias: Tensor) -> Tensor {
        x.biasedLeakyReLU(bias, slope: slope, gain: 1.4, limit: 1)
      }
      func penalty(_ x: Tensor, _ bias: Tensor) -> Tensor {
        let x = x.requiresGradient ? x : x.copy()
        let bias = bias.requiresGradient ? bias : bias.copy()
        x.requiresGradient = true
        bias.requiresGradient = true
        let value = y(x, bias).tanh().squared().sum()
        let found = gradients(of: [value], withRespectTo: [x, bias], createGraph: true)
        return found.compactMap { $0?.squared().sum() }.reduce(.zeros([], dtype: .float64)) {
          $0 + $1
        }
      }
      expectGradient(at: x) { y($0, bias).tanh().squared().sum() }
      expectGradient(at: bias) { y(x, $0).tanh().squared().sum() }
      expectGradient(at: x, tolerance: 1e-5) { penalty($0, bias) }
      expectGradient(at: bias, tolerance: 1e-5) { penalty(x, $0) }
    }
  }

  @Test(arguments: [DType.float32, .bfloat16], [false, true])
  func `results do not depend on the number of threads`(dtype: DType, channelsLast: Bool) {
    let plain = SeededRandom(seed: 1).normal([2, 37, 129, 65]).to(dtype)
    let image = channelsLast ? plain.laidOut(.channelsLast) : plain
    let way = Way(taps: [4, 4], up: [2, 2], down: [1, 1], before: [2, 2], after: [1, 1])
    let taps = formulaTensor("taps", [4, 4])
    func results() -> [[Float]] {
      let (x, bias) = (image.copy(), formulaTensor("bias", [37]))
      x.requiresGradient = true
      bias.requiresGradient = true
      let y = x.biasedLeakyReLU(bias, slope: 0.2, gain: 1.4, limit: 256)
      let z = resampled(y, taps, way)
      let found = gradients(of: [z.squared().mean()], withRespectTo: [x, bias])
      return ([z] + found.compactMap { $0 }).map { $0.to(.float32).floats }
    }
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    Runtime.threads = 1
    let one = results()
    Runtime.threads = 4
    #expect(results() == one)
  }
}
