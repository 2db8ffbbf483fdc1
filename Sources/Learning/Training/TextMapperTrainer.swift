import CLIP
package import Datasets
package import Networks
package import Torch
package import TorchNN

/// The settings of a text mapper's training.
package struct TextMapperTraining: Equatable, Sendable {
  /// Steps of the optimiser.
  package var steps = 2000
  /// Pairs per step.
  package var batchSize = 128
  /// Share of the images that are held out: only measured, not trained on.
  package var heldOut = 0.1
  /// Temperature of the contrastive loss.
  package var temperature = 0.1
  /// Steps between two measurements; the best mapper of all is kept.
  package var measureEvery = 100
  /// The optimiser.
  package var optimizer = Adam.Configuration(learningRate: 0.01, weightDecay: 0.01)
  /// Seed of weights, batches and the held-out split.
  package var seed: UInt64 = 0

  /// The defaults.
  package init() {}
}

/// Pairs of image feature and text feature, of unit length.
package struct FeaturePairs {
  /// One image feature a pair, [N, F].
  package let images: Tensor
  /// The text feature of each, [N, F].
  package let texts: Tensor
  /// Number of pairs.
  package var count: Int { images.size(0) }

  /// Collects pairs.
  package init(images: Tensor, texts: Tensor) {
    self.images = images
    self.texts = texts
  }

  /// Every caption of given images of a set, with its image.
  package init(_ set: TrainingSet, images indices: [Int]) throws(DatasetError) {
    var (images, texts): ([Float], [Float]) = ([], [])
    var count = 0
    for index in indices {
      let (dataset, entry) = set.location(ofRaw: index)
      for caption in 0..<dataset.textFeatureCount(at: entry) {
        images += dataset.imageFeature(at: entry)
        texts += dataset.textFeature(image: entry, caption: caption)
        count += 1
      }
    }
    let shape = [count, set.featureDimension]
    self.images = Tensor(images, shape: shape).normalized()
    self.texts = Tensor(texts, shape: shape).normalized()
  }
}

/// Trains a text mapper: text features of image features, from pairs.
///
/// The loss is the contrastive one between made and true text features (arXiv 2111.13792, section 3.1),
/// plus the negative log-likelihood of the true one, which makes the noise as wide as captions differ.
package struct TextMapperTrainer {
  /// Mean cosine between pseudo-text features and the true ones, over pairs.
  package struct Measurement: Equatable, Sendable {
    /// Of the mapper's centre, without noise.
    package var centre: Double
    /// Of the mapper with its noise.
    package var sampled: Double
    /// Of LAFITE-G: the image feature with 75 % noise.
    package var gaussian: Double
    /// Of the image feature itself.
    package var image: Double
  }

  private let configuration: TextMapperTraining

  /// A trainer.
  package init(_ configuration: TextMapperTraining) { self.configuration = configuration }

  /// Divides images into those to learn from and those held out, by the seed.
  package func divided(_ count: Int) -> (training: [Int], heldOut: [Int]) {
    var random = NumPyRandom(seed: UInt32(truncatingIfNeeded: configuration.seed))
    let order = random.permutation(count)
    let held = min(max(Int(Double(count) * configuration.heldOut), 1), count - 1)
    return (order[held...].sorted(), order[..<held].sorted())
  }

  /// Pairs per step: the configuration's number, or all if there are fewer.
  package func batchSize(of pairs: FeaturePairs) -> Int {
    min(configuration.batchSize, pairs.count)
  }

  /// Trains a mapper and keeps its best state, by the held-out cosine of its centre.
  ///
  /// - Parameters:
  ///   - pairs: The training pairs.
  ///   - heldOut: The pairs to measure on.
  ///   - observe: Receives step, mean loss since the last call, and the held-out measurement.
  /// - Returns: The mapper, without gradients.
  package func train(
    _ pairs: FeaturePairs,
    heldOut: FeaturePairs,
    observe: (_ step: Int, _ loss: Double, _ measured: Measurement) -> Void
  ) -> TextMapper {
    let c = configuration
    let shape = TextMapper.Configuration(featureDimension: pairs.images.size(1))
    let mapper = TextMapper(
      shape,
      random: SeededRandom(seed: c.seed, stream: .mapperWeights, position: 0)
    )
    let best = TextMapper(
      shape,
      random: SeededRandom(seed: c.seed, stream: .mapperWeights, position: 0)
    )
    let optimizer = Adam(mapper.parameters, c.optimizer)
    var losses: [Double] = []
    var bestCosine = -1.0
    for step in 1...c.steps {
      let random = SeededRandom(seed: c.seed, stream: .mapperStep, position: UInt64(step))
      let rows = (0..<batchSize(of: pairs)).map { _ in random.integer(in: 0..<pairs.count) }
      let loss = loss(
        mapper,
        FeaturePairs(images: pairs.images.gathered(0, rows), texts: pairs.texts.gathered(0, rows)),
        random
      )
      optimizer.step(gradients(of: [loss], withRespectTo: mapper.parameters))
      losses.append(loss.detached().item)
      guard step % c.measureEvery == 0 || step == c.steps else { continue }
      let measured = measure(mapper, heldOut)
      if measured.centre > bestCosine {
        bestCosine = measured.centre
        best.copyState(from: mapper)
      }
      observe(step, losses.reduce(0, +) / Double(losses.count), measured)
      losses = []
    }
    best.setTrainable(false)
    return best
  }

  private func loss(
    _ mapper: TextMapper,
    _ batch: FeaturePairs,
    _ random: any RandomSource
  ) -> Tensor {
    let (centre, logDeviation) = mapper.distribution(batch.images)
    let made = centre + random.normal(batch.images.shape) * logDeviation.exponential()
    let agreement = contrastiveAgreement(
      made.normalized(),
      batch.texts,
      temperature: configuration.temperature,
      lambda: 0.5,
      form: .infonce
    )
    let errors = (batch.texts - centre) / logDeviation.exponential()
    return (errors.squared() * 0.5 + logDeviation).mean() - agreement.mean()
  }

  /// Measures the mean cosines between pseudo-text features and the true ones.
  package func measure(_ mapper: TextMapper, _ pairs: FeaturePairs) -> Measurement {
    withoutGradients {
      let random = SeededRandom(seed: configuration.seed, stream: .mapperMeasurement, position: 0)
      let noise = random.normal(pairs.images.shape)
      let gaussian = pseudoText(
        of: pairs.images,
        noise.normalized(),
        share: standardPseudoTextNoise
      )
      func cosine(_ made: Tensor) -> Double { (made * pairs.texts).sum(1).mean().item }
      return Measurement(
        centre: cosine(mapper.distribution(pairs.images).centre.normalized()),
        sampled: cosine(mapper(pairs.images, noise: noise)),
        gaussian: cosine(gaussian),
        image: cosine(pairs.images)
      )
    }
  }
}
