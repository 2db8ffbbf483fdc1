import Evaluation
import Foundation
import Testing
import Torch
import TorchTestSupport

/// metrics.json: results of the original metric code on metrics_inputs.safetensors.
private struct Recorded: Decodable {
  struct Value: Decodable { let value: Double }
  struct Statistics: Decodable {
    let num_items: Int
    let full: Bool
    let all_shape: [Int]
    let mean: [Double]
    let cov: [[Double]]
  }
  struct Moments: Decodable {
    let mu_real: [Double]
    let sigma_real: [[Double]]
    let mu_gen: [Double]
    let sigma_gen: [[Double]]
    let mean_term: Double
    let trace_sqrt: Double
    let fid: Double
  }
  struct Score: Decodable { let mean_std: [Double] }
  struct Kernel: Decodable {
    let value: Double
    let subsets: [[Int]]
  }
  struct Shares: Decodable { let precision_recall: [Double] }
  struct Line: Decodable {
    let file: String
    let line: String
    let stdout: String
  }
  struct Duration: Decodable {
    let seconds: Double
    let text: String
    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      seconds = try container.decode(Double.self)
      text = try container.decode(String.self)
    }
  }
  let featurestats: Statistics
  let fid: Value
  let fid_rankdef: Value
  let fid_few: Value
  let frechet_from_moments: Moments
  let is_1: Score
  let is_10: Score
  let kid: Kernel
  let pr: Shares
  let pr_small: Shares
  let report_metric_line: Line
  let format_time: [Duration]
  let metrics_list: [String]
}

@Suite("Metrics: Golden")
struct GoldenMetricTests {
  private let recorded: Recorded
  private let inputs: Golden

  init() throws {
    recorded = try Golden.json("metrics.json")
    inputs = try Golden("metrics_inputs")
  }

  private func statistics(_ features: Tensor) -> FeatureStatistics {
    var statistics = FeatureStatistics(dimension: features.size(1))
    statistics.append(features)
    return statistics
  }

  private func distance(_ real: Tensor, _ generated: Tensor) -> Double {
    frechetDistance(real: statistics(real), generated: statistics(generated))
  }

  @Test func `moments of batches up to a limit`() {
    var statistics = FeatureStatistics(dimension: 16, maximumCount: 250, keepingFeatures: true)
    // 300 rows in seven nearly equal parts, as the recording did.
    var start = 0
    for part in 0..<7 {
      let end = start + 300 / 7 + (part < 300 % 7 ? 1 : 0)
      statistics.append(inputs["real"].sliced(0, start..<end))
      start = end
    }
    #expect(statistics.isFull == recorded.featurestats.full)
    #expect(statistics.count == recorded.featurestats.num_items)
    #expect(statistics.features?.shape == recorded.featurestats.all_shape)
    let mean = Tensor(recorded.featurestats.mean)
    let covariance = Tensor(recorded.featurestats.cov.flatMap(\.self), shape: [16, 16])
    expectClose(statistics.mean, mean, rtol: 1e-12, atol: 1e-12)
    expectClose(statistics.covariance, covariance, rtol: 1e-10, atol: 1e-12)
  }

  @Test func `Fréchet distances, also of singular covariances`() {
    let (real, generated) = (inputs["real"], inputs["gen"])
    expectClose(distance(real, generated), recorded.fid.value, rtol: 1e-9)
    let deficient = distance(real, inputs["gen_rankdef"])
    expectClose(deficient, recorded.fid_rankdef.value, rtol: 1e-6)
    let few = distance(real.sliced(0, 0..<8), generated.sliced(0, 0..<8))
    expectClose(few, recorded.fid_few.value, rtol: 1e-5)
    let moments = recorded.frechet_from_moments
    let means = (Tensor(moments.mu_real), Tensor(moments.mu_gen))
    let covariances = (
      Tensor(moments.sigma_real.flatMap(\.self), shape: [16, 16]),
      Tensor(moments.sigma_gen.flatMap(\.self), shape: [16, 16])
    )
    let direct = frechetDistance(means: means, covariances: covariances)
    expectClose(direct, moments.fid, rtol: 1e-9)
    let meanTerm = (means.0 - means.1).squared().sum().item
    expectClose(meanTerm, moments.mean_term, rtol: 1e-12)
    let trace = rootOfProductTrace(covariances.0, covariances.1)
    expectClose(trace, moments.trace_sqrt, rtol: 1e-10)
    for (own, of) in [(real, 0), (generated, 1)] {
      let statistics = statistics(own)
      expectClose(statistics.mean, of == 0 ? means.0 : means.1, rtol: 1e-12, atol: 1e-14)
      expectClose(
        statistics.covariance,
        of == 0 ? covariances.0 : covariances.1,
        rtol: 1e-10,
        atol: 1e-12
      )
    }
  }

  @Test func `kernel inception distance over the recorded subsets`() {
    let lists = recorded.kid.subsets.map { Tensor($0.map(Int64.init)) }
    let subsets = stride(from: 0, to: lists.count, by: 2).map { (lists[$0], lists[$0 + 1]) }
    #expect(subsets.count == 4)
    let value = kernelInceptionDistance(
      real: inputs["real"],
      generated: inputs["gen"],
      subsets: subsets
    )
    // The recording computed the kernel in float32.
    expectClose(value, recorded.kid.value, rtol: 1e-5)
  }

  @Test func `Inception score of one and of ten splits`() {
    for (splits, golden) in [(1, recorded.is_1), (10, recorded.is_10)] {
      let score = inceptionScore(inputs["probs"], splits: splits)
      expectClose(score.mean, golden.mean_std[0], rtol: 1e-6)
      expectClose(score.deviation, golden.mean_std[1], rtol: 1e-5, atol: 1e-9)
    }
  }

  @Test(arguments: [7, 1000]) func `precision and recall, whatever the chunks`(rows: Int) {
    let (real, generated) = (inputs["real"], inputs["gen"])
    let all = precisionRecall(real: real, generated: generated, rows: rows)
    expectClose(all.precision, recorded.pr.precision_recall[0], rtol: 1e-6)
    expectClose(all.recall, recorded.pr.precision_recall[1], rtol: 1e-6)
    let small = precisionRecall(
      real: real.sliced(0, 0..<40),
      generated: generated.sliced(0, 0..<30),
      rows: rows
    )
    expectClose(small.precision, recorded.pr_small.precision_recall[0], rtol: 1e-6)
    expectClose(small.recall, recorded.pr_small.precision_recall[1], rtol: 1e-6)
  }

  @Test func `points on great circles`() {
    let found = sphericallyInterpolated(inputs["slerp.a"], inputs["slerp.b"], inputs["slerp.t"])
    inputs.expectClose(found, "slerp.out", rtol: 1e-5, atol: 1e-6)
  }

  @Test func `the original's metrics are there under their names, in its order`() {
    let ours = MetricDefinition.all.map(\.name)
    #expect(ours.prefix(recorded.metrics_list.count) == recorded.metrics_list[...])
  }

  @Test func `a line has the original's keys, order and spacing`() {
    let line = MetricLine(
      results: [("fid50k_full", 12.5)],
      metric: "fid50k_full",
      totalSeconds: 75.25,
      devices: 1,
      snapshot: "network-snapshot-000200.pkl",
      timestamp: 1_700_000_000.5,
      measurement: nil
    )
    #expect(line.json + "\n" == recorded.report_metric_line.line)
    #expect(line.json + "\n" == recorded.report_metric_line.stdout)
    #expect("metric-\(line.metric).jsonl" == recorded.report_metric_line.file)
    for duration in recorded.format_time {
      #expect(durationText(duration.seconds) == duration.text)
    }
  }
}
