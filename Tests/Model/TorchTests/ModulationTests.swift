import Testing
import Torch
import TorchTestSupport

/// Factors of each sample's channels before and behind a convolution: one pass, forward and back.
@Suite("Modulation")
struct ModulationTests {
  /// What the pass behind a convolution reads.
  private struct Operands {
    var x: Tensor
    var factors: Tensor
    var noise: Tensor?
    var bias: Tensor

    init(_ shape: [Int], noise: [Int]?, channelsLast: Bool, dtype: DType = .float64) {
      func made(_ name: String, _ shape: [Int]) -> Tensor { formulaTensor(name, shape).to(dtype) }
      let plain = made("x", shape)
      x = channelsLast ? plain.laidOut(.channelsLast) : plain
      factors = made("factors", [shape[0], shape[1]]) + 1.5
      self.noise = noise.map { made("noise", $0) }
      bias = made("bias", [shape[1]])
    }

    var all: [Tensor] { [x, factors, bias] + (noise.map { [$0] } ?? []) }

    func with(_ index: Int, _ value: Tensor) -> Operands {
      var copy = self
      switch index {
      case 0: copy.x = value
      case 1: copy.factors = value
      case 2: copy.bias = value
      default: copy.noise = value
      }
      return copy
    }

    func demodulated() -> Tensor {
      x.demodulated(factors, noise: noise, bias: bias, slope: 0.2, gain: 1.4, limit: 2)
    }

    /// The same of libtorch's operators.
    func composed() -> Tensor {
      let factors = factors.to(x.dtype).reshaped(x.size(0), x.size(1), 1, 1)
      let y = noise.map { $0.to(x.dtype).adding(product: x, factors) } ?? x * factors
      return ((y + bias.to(x.dtype).reshaped(1, -1, 1, 1)).leakyReLU(0.2) * 1.4)
        .clamped(from: -2, to: 2)
    }
  }

  /// Shapes of noise for images of 4 × 5: none, one map for all, one a sample.
  static let noises: [[Int]?] = [nil, [4, 5], [2, 1, 4, 5]]

  @Test func `factors, noise, bias, slope, gain and clamp agree with hand computation`() {
    let x = Tensor([1, -2, 3, -4] as [Float], shape: [1, 2, 1, 2])
    let factors = Tensor([2, 0.5] as [Float], shape: [1, 2])
    let (noise, bias) = (Tensor([0.5, 1] as [Float], shape: [1, 2]), Tensor([1, -1] as [Float]))
    // 2 + 0.5 + 1, −4 + 1 + 1, 1.5 + 0.5 − 1, −2 + 1 − 1; halved below zero; doubled; within ±3.
    let y = x.demodulated(factors, noise: noise, bias: bias, slope: 0.5, gain: 2, limit: 3)
    #expect(y.floats == [3, -2, 2, -2])
    #expect(x.modulated(factors).floats == [2, -4, 1.5, -2])
  }

  @Test(arguments: noises, [false, true])
  func `demodulation with activation has derivatives of every order`(
    noise: [Int]?,
    channelsLast: Bool
  ) {
    let operands = Operands([2, 3, 4, 5], noise: noise, channelsLast: channelsLast)
    func penalty(_ operands: Operands) -> Tensor {
      let leaves = operands.all.map { $0.requiresGradient ? $0 : $0.copy() }
      let own = leaves.enumerated().reduce(operands) { $0.with($1.offset, $1.element) }
      for leaf in leaves { leaf.requiresGradient = true }
      let value = own.demodulated().tanh().squared().sum()
      let found = gradients(of: [value], withRespectTo: leaves, createGraph: true)
      return found.compactMap { $0?.squared().sum() }.reduce(.zeros([], dtype: .float64)) {
        $0 + $1
      }
    }
    for (index, operand) in operands.all.enumerated() {
      expectGradient(at: operand) { operands.with(index, $0).demodulated().tanh().squared().sum() }
      expectGradient(at: operand, tolerance: 1e-5) { penalty(operands.with(index, $0)) }
    }
  }

  @Test(arguments: [false, true])
  func `modulation has derivatives of every order`(channelsLast: Bool) {
    let operands = Operands([2, 3, 4, 5], noise: nil, channelsLast: channelsLast)
    func value(_ x: Tensor, _ styles: Tensor) -> Tensor {
      x.modulated(styles).tanh().squared().sum()
    }
    func penalty(_ x: Tensor, _ styles: Tensor) -> Tensor {
      let leaves = [x, styles].map { $0.requiresGradient ? $0 : $0.copy() }
      for leaf in leaves { leaf.requiresGradient = true }
      return gradients(
        of: [value(leaves[0], leaves[1])],
        withRespectTo: leaves,
        createGraph: true
      )
      .compactMap { $0?.squared().sum() }.reduce(.zeros([], dtype: .float64)) { $0 + $1 }
    }
    let (x, styles) = (operands.x, operands.factors)
    expectGradient(at: x) { value($0, styles) }
    expectGradient(at: styles) { value(x, $0) }
    expectGradient(at: x, tolerance: 1e-5) { penalty($0, styles) }
    expectGradient(at: styles, tolerance: 1e-5) { penalty(x, $0) }
  }

  /// Images of several parts, and channels that do not fill a vector.
  private func large(_ dtype: DType, channelsLast: Bool, noise: [Int]?) -> Operands {
    var operands = Operands([2, 37, 65, 63], noise: noise, channelsLast: channelsLast)
    operands.x = operands.x.to(dtype)
    if dtype != .float64 {
      operands.factors = operands.factors.to(.float32)
      operands.bias = operands.bias.to(.float32)
      operands.noise = operands.noise?.to(.float32)
    }
    return operands
  }

  private func gradientsOf(
    _ operands: Operands,
    createGraph: Bool,
    _ body: (Operands) -> Tensor
  ) -> [Tensor] {
    let leaves = operands.all.map { $0.copy() }
    let own = leaves.enumerated().reduce(operands) { $0.with($1.offset, $1.element) }
    for leaf in leaves { leaf.requiresGradient = true }
    let value = body(own).to(.float64).squared().sum()
    return gradients(of: [value], withRespectTo: leaves, createGraph: createGraph)
      .compactMap { $0?.detached() }
  }

  @Test(arguments: [nil, [65, 63], [2, 1, 65, 63]] as [[Int]?], [false, true])
  func `the one pass equals the composed operators`(noise: [Int]?, channelsLast: Bool) {
    for dtype in [DType.float32, .float64] {
      let operands = large(dtype, channelsLast: channelsLast, noise: noise)
      let y = operands.demodulated()
      #expect(y.memoryFormat == operands.x.memoryFormat)
      // A network's leaky ReLU can have an input so near to zero that another rounding takes the other slope.
      let equal = y.values(Double.self) == operands.composed().values(Double.self)
      #expect(equal)
      let expected = gradientsOf(operands, createGraph: false) { $0.composed() }
      for createGraph in [false, true] {
        let found = gradientsOf(operands, createGraph: createGraph) { $0.demodulated() }
        #expect(found.count == expected.count)
        for (a, b) in zip(found, expected) {
          expectClose(a, b, rtol: 1e-5, atol: dtype == .float32 ? 1e-2 : 1e-9)
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .bfloat16], [false, true])
  func `results do not depend on the number of threads`(dtype: DType, channelsLast: Bool) {
    let operands = large(dtype, channelsLast: channelsLast, noise: [2, 1, 65, 63])
    func results() -> [[Float]] {
      let found =
        gradientsOf(operands, createGraph: false) { $0.demodulated() }
        + gradientsOf(operands, createGraph: false) { $0.x.modulated($0.factors) }
      return ([operands.demodulated()] + found).map { $0.to(.float32).floats }
    }
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    Runtime.threads = 1
    let one = results()
    Runtime.threads = 4
    let equal = results() == one
    #expect(equal)
  }
}
