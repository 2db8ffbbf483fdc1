package import Datasets
import Images
package import Networks
import Pixels
package import Torch
import TorchNN

/// Batches of real images for detectors.
package struct RealImages {
  /// The set.
  package let set: TrainingSet
  /// The indices in the set, in order.
  package let indices: [Int]
  private let batchSize: Int
  private let device: Device

  /// Images of a set.
  package init(
    _ set: TrainingSet,
    indices: [Int],
    device: Device = .cpu,
    batchSize: Int = 16
  ) {
    self.set = set
    self.indices = indices
    self.device = device
    self.batchSize = batchSize
  }

  /// The next `count` pictures of a sequence, uint8 [count, 3, R, R].
  ///
  /// - Throws: `DatasetError` for an image that cannot be read.
  private func images(_ count: Int, of sequence: ImageSequence) throws -> Tensor {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * 3 * set.resolution * set.resolution)
    for _ in 0..<count { pixels += try sequence.next()?.pixels ?? [] }
    let side = set.resolution
    return Tensor(pixels, shape: [count, side, side, 3]).permuted(0, 3, 1, 2).to(device)
  }

  /// The pictures of this rank's batches, decoded ahead.
  private func decoded(_ batches: Batches, _ ranks: PassRanks) -> ImageSequence {
    ImageSequence(set, ahead: 4 * batchSize) { [indices, batchSize] number in
      // Every batch but the last is full.
      let batch = number / batchSize * ranks.count + ranks.rank
      guard batch < batches.count else { return nil }
      let positions = batches[batch]
      let position = positions.lowerBound + number % batchSize
      return position < positions.upperBound ? indices[position] : nil
    }
  }

  /// Statistics of the images' features.
  ///
  /// - Parameters:
  ///   - detector: The feature detector.
  ///   - keepingFeatures: Keeps the vectors too.
  ///   - ranks: The ranks that share the pass.
  ///   - progress: Called with (done, total) after every batch.
  /// - Returns: Statistics of all images.
  /// - Throws: `DatasetError` for an image that cannot be read, the detector's error, or that another rank is
  ///   gone.
  package func statistics(
    _ detector: any FeatureDetector,
    keepingFeatures: Bool = false,
    ranks: PassRanks = .alone,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> FeatureStatistics {
    var statistics = FeatureStatistics(
      dimension: detector.dimension,
      keepingFeatures: keepingFeatures
    )
    let batches = Batches(images: indices.count, size: batchSize)
    let sequence = decoded(batches, ranks)
    try ranks.forEach(
      batches,
      dimensions: [detector.dimension],
      features: { [try detector.features(images($0.count, of: sequence))] },
      { features in
        statistics.append(features[0])
        progress(statistics.count, indices.count)
      }
    )
    return statistics
  }
}

/// Images that a generator paints for a measurement, by LAFITE's protocol.
///
/// The conditioning set is walked cyclically in order, with a random caption of each image, a new latent and
/// new noise; pixels are truncated to 8 bits before the detector. A generator with classes gets the label of the
/// same image.
package struct GeneratedImages {
  /// The conditioning set, with the captions' features.
  package let conditions: TrainingSet
  /// The number of images.
  package let count: Int
  /// Seed of latents, noise and the choice of captions.
  package let seed: UInt64
  private let perCaption: Int
  private let device: Device
  private let batchSize: Int

  /// Images under the captions of a set.
  ///
  /// - Parameters:
  ///   - conditions: The set.
  ///   - count: The number of images.
  ///   - seed: Of latents, noise and the choice of captions.
  ///   - perCaption: Consecutive images per caption. Above 1 the captions are of images spread over the set
  ///     instead of its first.
  ///   - device: The device.
  ///   - batchSize: Images painted at once; with 1 an image depends on the seed and its index only.
  package init(
    conditions: TrainingSet,
    count: Int,
    seed: UInt64,
    perCaption: Int = 1,
    device: Device = .cpu,
    batchSize: Int = 16
  ) {
    precondition(perCaption >= 1, "\(perCaption) images a caption")
    self.conditions = conditions
    self.count = count
    self.seed = seed
    self.perCaption = perCaption
    self.device = device
    self.batchSize = batchSize
  }

  /// The conditioning features of some positions of the pass, unit length, [n, F].
  package func features(at positions: Range<Int>) -> Tensor {
    let rows = positions.flatMap { position in
      conditions.textFeature(
        at: index(at: position),
        seed: seed,
        position: position / perCaption
      )
    }
    return Tensor(rows, shape: [positions.count, conditions.featureDimension])
      .to(device).normalized()
  }

  /// The class labels that a generator takes at some positions of the pass, [n, L]; `nil` without classes.
  ///
  /// - Throws: `DatasetError` if an image has none that fits.
  private func labels(_ generator: Generator, at positions: Range<Int>) throws -> Tensor? {
    guard let dimension = generator.configuration.labelDimension else { return nil }
    let rows = try positions.flatMap {
      try conditions.label(at: index(at: $0), dimension: dimension)
    }
    return Tensor(rows, shape: [positions.count, dimension]).to(device)
  }

  /// The image whose caption and label a position of the pass takes.
  private func index(at position: Int) -> Int {
    let draw = position / perCaption
    let captions = max(1, count / perCaption)
    return perCaption == 1
      ? draw % conditions.count : draw * conditions.count / captions % conditions.count
  }

  /// Paints a batch, uint8 [n, 3, R, R]; it depends on its positions only.
  ///
  /// - Throws: `EvaluationError` if a pixel is no number: a score of black pictures would hide it;
  ///   `DatasetError` if an image has no label that the generator takes.
  package func painted(by generator: Generator, at positions: Range<Int>) throws -> Tensor {
    let random = SeededRandom(
      seed: seed,
      stream: .metricImages,
      position: UInt64(positions.lowerBound)
    )
    let fts = features(at: positions)
    let labels = try labels(generator, at: positions)
    let images = withoutGradients {
      let z = random.normal([positions.count, generator.configuration.zDimension]).to(device)
      return generator(z, fts: fts, labels: labels, noiseMode: .random(random))
    }
    guard images.isFinite else { throw EvaluationError.notFinite }
    return quantized(images)
  }

  /// The features of all images by several detectors, from one pass, batch by batch.
  ///
  /// - Parameters:
  ///   - generator: The generator.
  ///   - detectors: The feature detectors.
  ///   - ranks: The ranks that share the pass.
  ///   - body: Called with each batch's features by each detector, [n, D], in their order.
  /// - Throws: The error of a detector or of `body`, or that another rank is gone.
  package func features(
    of generator: Generator,
    _ detectors: [any FeatureDetector],
    _ ranks: PassRanks,
    _ body: ([Tensor]) throws -> Void
  ) throws {
    try ranks.forEach(
      Batches(images: count, size: batchSize),
      dimensions: detectors.map(\.dimension),
      features: { positions in
        let images = try painted(by: generator, at: positions)
        return try detectors.map { try $0.features(images) }
      },
      body
    )
  }

  /// Perceptual path lengths of a generator: trimmed mean over `count` pairs.
  ///
  /// Everything is computed in float32: a step of ε is below the resolution of reduced precision. The random
  /// numbers of a batch depend on its positions only.
  ///
  /// - Parameters:
  ///   - measurement: The kind of the paths.
  ///   - generator: The generator to score.
  ///   - detector: Gives features whose squared differences are perceptual distances.
  ///   - ranks: The ranks that share the pass.
  ///   - progress: Called with (done, total) after every batch.
  /// - Returns: The mean without the outermost percents.
  /// - Throws: The detector's error, or that another rank is gone.
  package func pathLength(
    _ measurement: PathLength,
    of generator: Generator,
    _ detector: any FeatureDetector,
    ranks: PassRanks = .alone,
    progress: (Int, Int) -> Void
  ) throws -> Double {
    let precise = fullPrecision(generator)
    var distances: [Double] = []
    try ranks.forEach(
      Batches(images: count, size: batchSize),
      dimensions: [1],
      dtype: .float64,
      features: { positions in
        let seen = try detector.features(pairs(measurement, of: precise, at: positions))
          .to(.float64).chunks(2)
        let squared = (seen[0] - seen[1]).squared().sum(1, keeping: true)
        return [squared / (measurement.epsilon * measurement.epsilon)]
      },
      { batch in
        distances += batch[0].reshaped(-1).values(Double.self)
        progress(distances.count, count)
      }
    )
    return PathLength.trimmedMean(distances)
  }

  /// The starts of some paths, then their ends, as the distance detector's input.
  private func pairs(
    _ measurement: PathLength,
    of generator: Generator,
    at positions: Range<Int>
  ) throws -> Tensor {
    let random = SeededRandom(
      seed: seed,
      stream: .pathLength,
      position: UInt64(positions.lowerBound)
    )
    let (n, width) = (positions.count, generator.configuration.zDimension)
    let t = measurement.samplesWholePath ? random.uniform([n, 1]) : .zeros([n, 1])
    let z = (random.normal([n, width]).to(device), random.normal([n, width]).to(device))
    let fts = features(at: positions)
    let labels = try labels(generator, at: positions)
    return withoutGradients {
      let ends = measurement.ends(generator.mapping, z: z, labels: labels, t: t.to(device))
      let ws = Tensor.concatenated([ends.0, ends.1])
      let both = Tensor.concatenated([fts, fts])
      let noise = NoiseMode.random(SharedNoise(random))
      return measurement.view(generator.synthesize(ws, fts: both, noiseMode: noise).image)
    }
  }

  private func fullPrecision(_ generator: Generator) -> Generator {
    var configuration = generator.configuration
    if configuration.reducedPrecisionResolutions == 0 { return generator }
    configuration.reducedPrecisionResolutions = 0
    let precise = Generator(configuration, random: UninitializedSource())
    precise.move(to: device)
    precise.copyState(from: generator)
    precise.setTrainable(false)
    return precise
  }
}

/// Batches of consecutive positions, computed lazily: a billion images have many of them.
struct Batches {
  private let images: Int
  private let size: Int

  init(images: Int, size: Int) { (self.images, self.size) = (images, size) }

  /// Number of batches.
  var count: Int { (images + size - 1) / size }

  /// The positions of a batch's images.
  subscript(index: Int) -> Range<Int> { index * size..<min((index + 1) * size, images) }
}
