package import Datasets
import Images
import Networks
package import Torch

/// Fréchet distances of image sets without a generator, as reference points for a score.
package struct ReferencePoints: Equatable, Sendable {
  /// Even and odd real images against each other.
  package let realHalves: Double
  /// The mean of all real images, alone.
  package let meanImage: Double
  /// Uniform noise.
  package let noise: Double

  /// Measures them.
  ///
  /// - Parameters:
  ///   - set: The real images.
  ///   - real: Statistics of all of them.
  ///   - detector: The detector of these statistics.
  ///   - device: The detector's device.
  /// - Throws: `DatasetError` for an image that cannot be read, or the detector's error.
  package init(
    _ set: TrainingSet,
    real: FeatureStatistics,
    detector: any FeatureDetector,
    device: Device = .cpu
  ) throws {
    guard set.count >= 2 else {
      throw EvaluationError.option("references compares halves: it needs at least 2 images")
    }
    func half(_ first: Int) throws -> FeatureStatistics {
      let indices = Array(stride(from: first, to: set.count, by: 2))
      return try RealImages(set, indices: indices, device: device).statistics(detector)
    }
    func pictures(_ image: (Int) -> Tensor) throws -> FeatureStatistics {
      var statistics = FeatureStatistics(dimension: detector.dimension)
      let count = min(set.count, 256)
      for start in stride(from: 0, to: count, by: 16) {
        statistics.append(try detector.features(image(min(16, count - start)).to(device)))
      }
      return statistics
    }
    let side = set.resolution
    let mean = try Self.meanImage(of: set)
    let random = SeededRandom(seed: 0, plain: .referenceNoise)
    realHalves = frechetDistance(real: try half(0), generated: try half(1))
    meanImage = frechetDistance(real: real, generated: try pictures { mean.tiled($0, 1, 1, 1) })
    noise = frechetDistance(
      real: real,
      generated: try pictures {
        (random.uniform([$0, 3, side, side]) * 256).floored().to(.uint8)
      }
    )
  }

  private static func meanImage(of set: TrainingSet) throws -> Tensor {
    let side = set.resolution
    var sum = Tensor.zeros([side, side, 3], dtype: .float64)
    for index in 0..<set.count {
      let pixels = try set.image(at: index).pixels
      sum = sum + Tensor(pixels, shape: [side, side, 3]).to(.float64)
    }
    return (sum / Double(set.count)).rounded().to(.uint8).permuted(2, 0, 1).unsqueezed(0)
  }
}
