import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Adam: Golden and hand-checked steps")
struct AdamTests {
  private struct Manifest: Decodable {
    struct Network: Decodable {
      let mb_ratio: Double
      let lr: Double
      let betas: [Double]
    }
    struct Config: Decodable {
      let lr: Double
      let betas: [Double]
      let eps: Double
      let G: Network
      let D: Network
    }
    let config: Config
  }

  @Test func `five steps with missing gradients follow the recorded run`() throws {
    let golden = try Golden("adam")
    let config = try golden.manifest(Manifest.self).config
    let parameters = ["p", "q"].map { golden["\($0).0"] }
    let adam = Adam(
      parameters,
      .init(
        learningRate: config.lr,
        beta1: config.betas[0],
        beta2: config.betas[1],
        epsilon: config.eps
      )
    )
    for step in 1...5 {
      adam.step(
        ["gp", "gq"].map { name in
          let key = "\(name).\(step)"
          guard golden.contains(key) else { return nil }
          return golden[key].withoutNaN(nan: 0, positiveInfinity: 1e5, negativeInfinity: -1e5)
        }
      )
      golden.expectClose(parameters[0], "p.\(step)", rtol: 1e-6, atol: 1e-7)
      golden.expectClose(parameters[1], "q.\(step)", rtol: 1e-6, atol: 1e-7)
    }
    for (index, name) in ["p", "q"].enumerated() {
      golden.expectClose(adam.firstMoments[index], "\(name).exp_avg", rtol: 1e-6, atol: 1e-7)
      golden.expectClose(adam.secondMoments[index], "\(name).exp_avg_sq", rtol: 1e-6, atol: 1e-7)
      golden.expectClose(adam.steps[index], "\(name).step", rtol: 0, atol: 0)
    }
  }

  @Test func `a factor on the learning rate makes a parameter's own step that much longer`() {
    // With β₁ = 0 the first step is α in the direction of the gradient, whatever its size.
    let parameters = [Tensor([Float(1)]), Tensor([Float(1)]), Tensor([Float(1)])]
    let adam = Adam(
      parameters,
      .init(learningRate: 0.01, beta1: 0, beta2: 0.99),
      learningRateFactors: [1, 100, 1]
    )
    adam.step([Tensor([Float(3)]), Tensor([Float(3)]), nil])
    expectClose(parameters[0].item, 0.99, rtol: 1e-6)
    expectClose(parameters[1].item, 0, atol: 1e-6)
    #expect(parameters[2].floats == [1])
    #expect(adam.steps.map(\.item) == [1, 1, 0])
  }

  @Test func `lazy regularisation changes the constants as recorded`() throws {
    let config = try Golden("adam").manifest(Manifest.self).config
    let base = Adam.Configuration(learningRate: 0.0025, beta1: 0, beta2: 0.99)
    for (interval, recorded) in [(4, config.G), (16, config.D)] {
      let lazy = base.lazy(interval: interval)
      expectClose(lazy.learningRate, recorded.lr, rtol: 1e-12)
      expectClose(lazy.beta1, recorded.betas[0], atol: 1e-12)
      expectClose(lazy.beta2, recorded.betas[1], rtol: 1e-12)
    }
    #expect(base.lazy(interval: nil) == base)
  }

  @Test func `the first step moves by the learning rate whatever the gradient's size`() {
    let x = Tensor([1, 1, 1] as [Float])
    let adam = Adam([x], .init(learningRate: 0.125))
    adam.step([Tensor([1e-3, -5, 200] as [Float])])
    expectClose(x, Tensor([0.875, 1.125, 0.875] as [Float]), rtol: 1e-4, atol: 0)
  }

  @Test func `weight decay shrinks a parameter without gradient direction`() {
    let x = Tensor([2] as [Float])
    let adam = Adam([x], .init(learningRate: 0.1, weightDecay: 0.5))
    adam.step([Tensor([0] as [Float])])
    expectClose(x, Tensor([1.9] as [Float]), rtol: 1e-6, atol: 0)
  }
}
