import Foundation
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Exponential moving average: Golden")
struct ExponentialMovingAverageTests {
  private struct Manifest: Decodable {
    struct Row: Decodable {
      let batch: Int
      let ema_kimg: Double
      let ramp: Double?
      let cur_nimg_before_increment: Int
      let beta: Double
    }
    struct Config: Decodable { let betas: [Row] }
    let config: Config
  }

  private final class Pair: Module {
    @Parameter var p: Tensor
    @Buffer var b: Tensor

    init(_ p: Tensor, buffer: Double) {
      _p = Parameter(wrappedValue: p.copy())
      _b = Buffer(wrappedValue: Tensor(scalar: buffer))
    }
  }

  @Test func `the weight of the old average follows the recorded table`() throws {
    let rows = try Golden("ema").manifest(Manifest.self).config.betas
    #expect(rows.count == 24)
    for row in rows {
      let average = ExponentialMovingAverage(halfLifeKimg: row.ema_kimg, rampUp: row.ramp)
      let beta = average.beta(batchSize: row.batch, imagesSeen: row.cur_nimg_before_increment)
      expectClose(beta, row.beta, rtol: 1e-12, atol: 1e-30)
    }
  }

  // The paper's profiles: σ_rel 0.05 and 0.10 are γ 16.97 and 6.94 (arXiv 2312.02696, section 3.1).
  @Test(arguments: [(0.05, 16.97), (0.10, 6.94)])
  func `a power function average forgets the beginning as its paper says`(
    deviation: Double,
    power: Double
  ) throws {
    let average = ExponentialMovingAverage(halfLifeKimg: 5, relativeDeviation: deviation)
    #expect(abs(try #require(average.power) - power) < 0.005)
    // The first update takes the network as it is; later ones weigh by the share of the images seen.
    #expect(average.beta(batchSize: 8, imagesSeen: 0) == 0)
    expectClose(
      average.beta(batchSize: 8, imagesSeen: 792),
      pow(0.99, power + 1),
      rtol: 1e-4,
      atol: 0
    )
    // The weights of all updates have this standard deviation about their mean, in parts of the whole.
    var weights: [Double] = []
    for step in 0..<4000 {
      let beta = average.beta(batchSize: 4, imagesSeen: step * 4)
      weights = weights.map { $0 * beta } + [1 - beta]
    }
    let places = weights.indices.map { Double($0) / 4000 }
    let mean = zip(weights, places).reduce(0) { $0 + $1.0 * $1.1 }
    let variance = zip(weights, places).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) }
    expectClose(variance.squareRoot(), deviation, rtol: 0.01, atol: 0)
  }

  @Test func `parameters move and buffers are copied`() throws {
    let golden = try Golden("ema")
    let average = Pair(golden["p_ema"], buffer: 1)
    let network = Pair(golden["p"], buffer: 2)
    // Without ramp-up a half-life gives this beta for any number of images seen.
    var ema = ExponentialMovingAverage(halfLifeKimg: 1, rampUp: nil)
    ema.halfLifeImages = 4 / -log2(golden["beta"].item)
    ema.update(average.state, toward: network.state, batchSize: 4, imagesSeen: 123)
    golden.expectClose(average.p.detached(), "out", rtol: 1e-5, atol: 1e-7)
    #expect(average.b.item == 2)
    #expect(average.p.requiresGradient)
  }
}
