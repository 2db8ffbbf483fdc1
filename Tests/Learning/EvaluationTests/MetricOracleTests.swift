import Foundation
import Testing
import Torch
import TorchTestSupport

@testable import Evaluation

/// Recorded by Fixtures/metric_oracles.py.
@Suite("The arithmetic of torch-fidelity and prdc")
struct MetricOracleTests {
  private let oracle: [String: Double]
  private let real = formulaTensor("oracle/real", [60, 6])
  private let fake = formulaTensor("oracle/fake", [48, 6]) * 1.1 + 1

  init() throws {
    let data = try Data(contentsOf: URL(filePath: fixture("metric_oracles.json")))
    oracle = try JSONDecoder().decode([String: Double].self, from: data)
  }

  @Test func `the Fréchet distance of covariances over n − 1`() throws {
    func moments(_ features: Tensor) -> (mean: Tensor, covariance: Tensor) {
      var statistics = FeatureStatistics(dimension: 6)
      statistics.append(features)
      let n = Double(statistics.count)
      return (statistics.mean, statistics.covariance * (n / (n - 1)))
    }
    let (x, y) = (moments(real), moments(fake))
    let found = frechetDistance(
      means: (x.mean, y.mean),
      covariances: (x.covariance, y.covariance)
    )
    expectClose(found, try #require(oracle["fid"]), rtol: 1e-6)
  }

  @Test func `the kernel distance of one subset of all`() throws {
    let all = Tensor.range(48)
    let found = kernelInceptionDistance(
      real: real.sliced(0, 0..<48),
      generated: fake,
      subsets: [(generated: all, real: all)]
    )
    expectClose(found, try #require(oracle["kid"]), rtol: 1e-5)
  }

  @Test func `the Inception score`() throws {
    let probabilities = formulaTensor("oracle/logits", [50, 7], scale: 2).softmax(1)
    let found = inceptionScore(probabilities, splits: 10)
    expectClose(found.mean, try #require(oracle["isc_mean"]), rtol: 1e-6)
    expectClose(found.deviation, try #require(oracle["isc_std"]), rtol: 1e-4)
  }

  @Test func `precision and recall`() throws {
    let found = precisionRecall(real: real, generated: fake)
    expectClose(found.precision, try #require(oracle["precision"]), rtol: 1e-6)
    expectClose(found.recall, try #require(oracle["recall"]), rtol: 1e-6)
  }

  @Test func `precision, recall, density and coverage`() throws {
    let found = NeighbourShares(real: real, generated: fake)
    for (name, value) in [
      ("precision", found.precision), ("recall", found.recall), ("density", found.density),
      ("coverage", found.coverage),
    ] {
      expectClose(value, try #require(oracle["prdc_" + name]), rtol: 1e-9, name)
    }
  }
}
