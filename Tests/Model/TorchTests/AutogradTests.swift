import Testing
import Torch
import TorchTestSupport

@Suite("Automatic differentiation")
struct AutogradTests {
  private func double(_ name: String, _ shape: [Int], scale: Double = 1) -> Tensor {
    formulaTensor(name, shape, scale: scale).to(.float64)
  }

  @Test func `first derivatives agree with differences`() {
    let weight = double("weight", [3, 2, 3, 3])
    expectGradient(at: double("x", [1, 2, 5, 5])) {
      $0.convolved(weight, padding: [1, 1]).leakyReLU().squared().sum()
    }
    expectGradient(at: double("logits", [4, 5])) {
      ($0.softmax(1) * $0.logSoftmax(0)).sum() + $0.normalized().exponential().sum()
    }
    let x = double("input", [2, 3, 4, 4])
    let (gain, shift) = (double("gain", [6]), double("shift", [6]))
    expectGradient(at: double("filters", [6, 1, 2, 2])) {
      let maps = x.convolved($0, stride: 2, groups: 3)
      return
        (maps.permuted(0, 2, 3, 1).layerNormalized(weight: gain, bias: shift, epsilon: 1e-5)
        .sigmoid() * maps.permuted(0, 2, 3, 1)).sum()
    }
  }

  @Test func `second derivatives agree with differences of first ones`() {
    let weight = double("weight", [2, 2, 3, 3])
    func penalty(_ x: Tensor) -> Tensor {
      // Differences evaluate this too: the inner derivative needs a variable either way.
      let x = x.requiresGradient ? x : x.copy()
      x.requiresGradient = true
      let y = x.convolved(weight).tanh().squared().sum()
      return gradient(of: y, withRespectTo: x, createGraph: true).squared().sum()
    }
    expectGradient(at: double("x", [1, 2, 4, 4]), penalty)
  }

  @Test func `unused tensors have no gradient`() {
    let (a, b) = (Tensor([2, 3] as [Float]), Tensor([4] as [Float]))
    a.requiresGradient = true
    b.requiresGradient = true
    let found = gradients(of: [a.squared()], withRespectTo: [a, b])
    #expect(found[1] == nil)
    #expect(found[0]?.floats == [4, 6])
  }

  @Test func `several outputs add up and a graph can be kept`() {
    let x = Tensor([3] as [Float])
    x.requiresGradient = true
    let (y, z) = (x.squared(), x * 5)
    let first = gradients(of: [y, z], withRespectTo: [x], retainGraph: true)
    let second = gradients(of: [y, z], withRespectTo: [x])
    #expect(first[0]?.item == 11 && second[0]?.item == 11)
  }

  @Test func `nothing is recorded without gradients, also after a throw`() {
    struct Stop: Error {}
    let x = Tensor([1] as [Float])
    x.requiresGradient = true
    let unrecorded = withoutGradients { x * 2 }
    #expect(!unrecorded.requiresGradient)
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect((x * 2).requiresGradient)
    #expect(!x.detached().requiresGradient)
  }

  @Test func `an output that depends on nothing stops the program with a reason`() async {
    let result = await #expect(
      processExitsWith: .failure,
      observing: [\.standardErrorContent]
    ) {
      let (x, y) = (Tensor([1] as [Float]), Tensor([2] as [Float]))
      x.requiresGradient = true
      y.requiresGradient = true
      _ = gradient(of: y * 2, withRespectTo: x)
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("does not depend on the input"))
  }

  @Test func `training does not leak tensors`() async {
    // In a process of its own, where no other test holds tensors.
    await #expect(processExitsWith: .success) {
      func round() {
        let x = Tensor.ones([4, 4])
        x.requiresGradient = true
        let y = gradient(of: x.matmul(x).squared().sum(), withRespectTo: x, createGraph: true)
        _ = gradients(of: [y.squared()], withRespectTo: [x])
      }
      round()
      let before = Runtime.liveTensors
      for _ in 0..<50 { round() }
      precondition(Runtime.liveTensors == before)
    }
  }
}
