import Datasets
import Evaluation
import Foundation
import Images
import Networks
import Torch

/// The Fréchet distance on EfficientNet-Lite0 features, with its reference points.
struct FdLite0 {
  static let name = "fd_lite0"

  private let detector: Lite0Detector
  private let score: GeneratorScore
  private let real: FeatureStatistics
  private let realSet: TrainingSet
  private let conditions: TrainingSet
  private let images: Int

  init(real set: TrainingSet, conditions: TrainingSet, images: Int, device: Device) throws {
    detector = try Lite0Detector(path: Weights.path(Weights.efficientNet))
    detector.move(to: device)
    score = GeneratorScore(detector: detector, device: device)
    real = try score.real(set, indices: Array(0..<set.count)) { done, total in
      Console.progress("features of real images  \(done)/\(total)")
    }
    realSet = set
    self.conditions = conditions
    self.images = images
  }

  /// The distance of a generator's images from the real ones.
  func distance(_ generator: Generator, seed: UInt64 = 0) -> Double {
    let fake = score.generated(
      generator,
      conditions: conditions,
      count: images,
      seed: seed
    ) { done, total in
      Console.progress("features of generated images  \(done)/\(total)")
    }
    return frechetDistance(real: real, generated: fake)
  }

  /// A line for `metric-fd_lite0.jsonl`.
  func line(_ generator: Generator, snapshot: String) throws -> String {
    let start = Date()
    let value = distance(generator)
    return MetricLine(
      results: [(Self.name, value)],
      metric: Self.name,
      totalSeconds: Date().timeIntervalSince(start),
      devices: 1,
      snapshot: snapshot,
      timestamp: Date().timeIntervalSince1970,
      measurement: .init(
        generatedImages: images,
        realImages: realSet.count,
        detector: detector.name,
        detectorSHA256: detector.sha256,
        resize: detector.resize,
        captionSource: conditions.datasets.map(\.path).joined(separator: ", "),
        referenceSet: realSet.datasets.map(\.path).joined(separator: ", ")
      )
    ).json
  }

  /// What the distance is for things that are no generator: even and odd real images against each
  /// other, the mean image alone, and uniform noise.
  func references() throws -> (halves: Double, meanImage: Double, noise: Double) {
    let even = try score.real(realSet, indices: Array(stride(from: 0, to: realSet.count, by: 2)))
    let odd = try score.real(realSet, indices: Array(stride(from: 1, to: realSet.count, by: 2)))
    let count = min(realSet.count, 256)
    let side = realSet.resolution
    let mean = try meanImage()
    let random = SeededRandom(seed: 0)
    return (
      frechetDistance(real: even, generated: odd),
      frechetDistance(
        real: real,
        generated: score.pictures(count) { mean.tiled($0, 1, 1, 1) }
      ),
      frechetDistance(
        real: real,
        generated: score.pictures(count) {
          (random.uniform([$0, 3, side, side]) * 256).floored().to(.uint8)
        }
      )
    )
  }

  private func meanImage() throws -> Tensor {
    let side = realSet.resolution
    var sum = Tensor.zeros([side, side, 3], dtype: .float64)
    for index in 0..<realSet.count {
      let pixels = try realSet.image(at: index).pixels
      sum = sum + Tensor(pixels, shape: [side, side, 3]).to(.float64)
    }
    return (sum / Double(realSet.count)).rounded().to(.uint8).permuted(2, 0, 1).unsqueezed(0)
  }
}
