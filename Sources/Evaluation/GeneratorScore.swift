package import Datasets
import Images
package import Networks
package import Torch

/// Measures a generator against a data set with a feature detector, by LAFITE's protocol.
///
/// The generated side walks the conditioning set in order, round and round, with one caption each drawn
/// at random, a fresh latent and fresh noise; pixels are cut to 8 bits before the detector sees them.
/// The real side is the whole reference set, unflipped.
package struct GeneratorScore {
  private let detector: any FeatureDetector
  private let batchSize: Int
  private let device: Device

  /// A measurement with a detector.
  package init(detector: any FeatureDetector, device: Device = .cpu, batchSize: Int = 16) {
    self.detector = detector
    self.device = device
    self.batchSize = batchSize
  }

  /// Statistics of real images.
  ///
  /// - Parameters:
  ///   - set: Where they are.
  ///   - indices: Which, in order.
  ///   - progress: Called with (done, total) after every batch.
  /// - Returns: Statistics of their features.
  /// - Throws: `DatasetError` for an image that cannot be read.
  package func real(
    _ set: TrainingSet,
    indices: [Int],
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> FeatureStatistics {
    var statistics = FeatureStatistics(dimension: detector.dimension)
    for start in stride(from: 0, to: indices.count, by: batchSize) {
      let chosen = indices[start..<min(start + batchSize, indices.count)]
      let pixels = try chosen.flatMap { try set.image(at: $0).pixels }
      let side = set.resolution
      let images = Tensor(pixels, shape: [chosen.count, side, side, 3]).permuted(0, 3, 1, 2)
      statistics.append(detector.features(images.to(device)))
      progress(start + chosen.count, indices.count)
    }
    return statistics
  }

  /// Statistics of generated images.
  ///
  /// - Parameters:
  ///   - generator: What is judged.
  ///   - conditions: Where the captions' features come from.
  ///   - count: How many images.
  ///   - seed: Of latents, noise and the choice of captions.
  ///   - progress: Called with (done, total) after every batch.
  /// - Returns: Statistics of their features.
  package func generated(
    _ generator: Generator,
    conditions: TrainingSet,
    count: Int,
    seed: UInt64,
    progress: (Int, Int) -> Void = { _, _ in }
  ) -> FeatureStatistics {
    var statistics = FeatureStatistics(dimension: detector.dimension)
    let random = SeededRandom(seed: seed, stream: 3, position: 0)
    for start in stride(from: 0, to: count, by: batchSize) {
      let positions = Array(start..<min(start + batchSize, count))
      let features = positions.flatMap {
        conditions.textFeature(at: $0 % conditions.count, seed: seed, position: $0)
      }
      let fts = Tensor(features, shape: [positions.count, conditions.featureDimension])
        .to(device).normalized()
      statistics.append(
        detector.features(eightBits(paint(generator, fts: fts, random: random)))
      )
      progress(start + positions.count, count)
    }
    return statistics
  }

  /// Statistics of pictures that show nothing: one constant image, or uniform noise.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - image: Makes the batch of the given size, uint8 [n, 3, R, R].
  /// - Returns: Statistics of their features.
  package func pictures(_ count: Int, _ image: (Int) -> Tensor) -> FeatureStatistics {
    var statistics = FeatureStatistics(dimension: detector.dimension)
    for start in stride(from: 0, to: count, by: batchSize) {
      statistics.append(detector.features(image(min(batchSize, count - start)).to(device)))
    }
    return statistics
  }

  private func paint(_ generator: Generator, fts: Tensor, random: any RandomSource) -> Tensor {
    withoutGradients {
      let z = random.normal([fts.size(0), generator.configuration.zDimension]).to(device)
      return generator(z, fts: fts, noiseMode: .random(random))
    }
  }

  private func eightBits(_ images: Tensor) -> Tensor {
    (images * 127.5 + 128).clamped(from: 0, to: 255).to(.uint8)
  }
}
