import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Evaluation

@Suite("Fréchet distance and statistics")
struct FrechetDistanceTests {
  private func gaussian(mean: [Double], variances: [Double]) -> (Tensor, Tensor) {
    let D = mean.count
    let diagonal = Tensor(variances, shape: [D, 1]) * Tensor.identity(D, dtype: .float64)
    return (Tensor(mean), diagonal)
  }

  @Test func `diagonal Gaussians have the closed form`() {
    // |Δμ|² + Σ (σ₁ − σ₂)² = 9 + (1 − 2)² + (3 − 3)² + (0 − 4)²
    let a = gaussian(mean: [0, 0, 0], variances: [1, 9, 0])
    let b = gaussian(mean: [3, 0, 0], variances: [4, 9, 16])
    let distance = frechetDistance(means: (a.0, b.0), covariances: (a.1, b.1))
    expectClose(distance, 26, rtol: 1e-12)
    let back = frechetDistance(means: (b.0, a.0), covariances: (b.1, a.1))
    expectClose(back, distance, rtol: 1e-12)
  }

  @Test func `a set has no distance to itself and grows with a shift`() {
    let features = formulaTensor("features", [40, 6])
    func statistics(_ x: Tensor) -> FeatureStatistics {
      var statistics = FeatureStatistics(dimension: 6)
      statistics.append(x)
      return statistics
    }
    let same = frechetDistance(real: statistics(features), generated: statistics(features))
    expectClose(same, 0, atol: 1e-6)
    let moved = frechetDistance(real: statistics(features), generated: statistics(features + 2))
    expectClose(moved, 24, atol: 1e-4)
  }

  @Test func `a duration of any length has a text`() {
    #expect(durationText(3661) == "1h 01m 01s")
    #expect(durationText(-1) == "0s")
    #expect(durationText(1e300) == "11574074d 01h 46m")
  }

  @Test func `sums of features stay on the device of the features`() {
    var statistics = FeatureStatistics(dimension: 3)
    for _ in 0..<2 { statistics.append(Tensor.uninitialized([4, 3]).to(.meta)) }
    #expect(statistics.count == 8 && statistics.device == .meta)
  }

  @Test func `statistics do not depend on batches and survive a file`() throws {
    let features = formulaTensor("batches", [30, 5])
    var whole = FeatureStatistics(dimension: 5)
    whole.append(features)
    var parts = FeatureStatistics(dimension: 5)
    for start in stride(from: 0, to: 30, by: 7) {
      parts.append(features.sliced(0, start..<min(30, start + 7)))
    }
    expectClose(parts.covariance, whole.covariance, rtol: 1e-12, atol: 1e-12)
    let folder = try TemporaryFolder()
    let path = folder.file("statistics.safetensors")
    try parts.save(to: path, metadata: ["detector": "none"])
    let read = try FeatureStatistics(path: path)
    #expect(read.count == 30)
    expectClose(read.covariance, parts.covariance, rtol: 0, atol: 0)
    try SafeTensors.write([("count", Tensor([Int64(3)]))], to: path)
    #expect(throws: EvaluationError.self) { try FeatureStatistics(path: path) }
    let sum = Tensor.zeros([2], dtype: .float64)
    let products = Tensor.zeros([2, 2], dtype: .float64)
    for count in [Int64.max, 0, -1, .min] {
      try SafeTensors.write(
        [("count", Tensor([count])), ("sum", sum), ("products", products)],
        to: path
      )
      #expect(throws: EvaluationError.self, "\(count)") { try FeatureStatistics(path: path) }
    }
  }
}

@Suite("Scores of features")
struct ScoreTests {
  @Test func `sure and varied predictions score the number of classes`() {
    let sure = Tensor.identity(4).tiled(5, 1)
    let score = inceptionScore(sure, splits: 5)
    expectClose(score.mean, 4, rtol: 1e-9)
    expectClose(score.deviation, 0, atol: 1e-9)
    expectClose(inceptionScore(.full([20, 4], 0.25), splits: 2).mean, 1, rtol: 1e-6)
  }

  @Test func `kernel distance is around zero for halves and large for shifted sets`() {
    let features = formulaTensor("kid", [200, 8])
    let (a, b) = (features.sliced(0, 0..<100), features.sliced(0, 100..<200))
    let near = kernelInceptionDistance(
      real: a,
      generated: b,
      subsets: 10,
      maximumSize: 50,
      random: SeededRandom(seed: 1)
    )
    let far = kernelInceptionDistance(
      real: a,
      generated: b + 2,
      subsets: 10,
      maximumSize: 50,
      random: SeededRandom(seed: 1)
    )
    #expect(abs(near) < 0.1 && far > 10)
  }

  @Test func `precision and recall tell quality from variety`() {
    let real = formulaTensor("pr", [100, 2])
    let same = precisionRecall(real: real, generated: real)
    #expect(same.precision == 1 && same.recall == 1)
    let narrow = precisionRecall(real: real, generated: real * 0.05)
    #expect(narrow.precision > 0.9 && narrow.recall < 0.2)
    let far = precisionRecall(real: real, generated: real + 100)
    #expect(far.precision == 0 && far.recall == 0)
  }

  @Test func `agreement counts images whose own caption ranks first`() {
    let captions = Tensor([1, 0, 0, 1] as [Float], shape: [2, 2])
    let images = Tensor([5, 1, 1, 5, 3, 4] as [Float], shape: [3, 2])
    let agreement = CaptionAgreement(
      images: images,
      captions: captions,
      captionOfImage: [0, 1, 0]
    )
    expectClose(agreement.topOne, 2 / 3.0, rtol: 1e-12)
    expectClose(agreement.meanCosine, (2 * 5 / 26.0.squareRoot() + 0.6) / 3, rtol: 1e-6)
    #expect(agreement.candidates == 2)
  }

  @Test func `a line states its protocol and is appended whole`() throws {
    var line = MetricLine(
      results: [("fd-lite0", 274.25), ("undefined", .nan)],
      metric: "fd-lite0",
      totalSeconds: 3,
      devices: 2,
      snapshot: nil,
      timestamp: 1,
      measurement: .init(
        rules: "lafite",
        generatedImages: 100,
        scaledFrom: 30_000,
        seed: 0,
        realImages: 50,
        detector: "lite0",
        detectorSHA256: "00ff",
        resize: "bilinear \"aa\"",
        captionSource: "test set, in order",
        referenceSet: "data/emoji.zip"
      )
    )
    let folder = try TemporaryFolder()
    let path = folder.file("metric.jsonl")
    try line.append(to: path)
    line.devices = 1
    try line.append(to: path)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2)
    let expected =
      #"{"results": {"fd-lite0": 274.25, "undefined": null}, "metric": "fd-lite0", "#
      + #""total_time": 3.0, "total_time_str": "3s", "num_gpus": 2, "snapshot_pkl": null, "#
      + #""timestamp": 1.0, "protocol": {"rules": "lafite", "generated_images": 100, "#
      + #""scaled_from": 30000, "seed": 0, "real_images": 50, "#
      + #""detector": "lite0", "detector_sha256": "00ff", "resize": "bilinear \"aa\"", "#
      + #""caption_source": "test set, in order", "reference_set": "data/emoji.zip"}}"#
    #expect(lines.first.map(String.init) == expected)
  }
}
