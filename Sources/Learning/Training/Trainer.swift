package import Distributed
package import Networks
package import Torch
import TorchNN

/// The networks, optimisers and counters of a run, and the step that moves them.
///
/// A step is a pure function of the state, the batch and the configuration's seed: all its random
/// numbers derive from (seed, phase, images seen).
package final class Trainer {
  /// What is computed.
  package let configuration: TrainerConfiguration
  /// The generator in training, G.
  package let generator: Generator
  /// The discriminator in training, D.
  package let discriminator: Discriminator
  /// The averaged generator, G_ema: the one that is looked at and scored.
  package let average: Generator
  /// Images shown so far.
  package internal(set) var imagesSeen = 0
  /// Number of steps taken.
  package var steps: Int { imagesSeen / configuration.batchSize }

  /// The probability of an augmentation in use; 0 without augmentation.
  package var augmentProbability: Double { adaptive?.value ?? 0 }

  let pipe: AugmentPipe?
  var adaptive: AdaptiveProbability?
  private let context: LossContext
  let generatorOptimizer: Adam
  let discriminatorOptimizer: Adam
  /// Factor on both learning rates: 1 until a collapse was rolled back.
  package internal(set) var learningRateFactor = 1.0 {
    didSet {
      generatorOptimizer.configuration.learningRate = learningRates.generator * learningRateFactor
      discriminatorOptimizer.configuration.learningRate =
        learningRates.discriminator * learningRateFactor
    }
  }
  private let learningRates: (generator: Double, discriminator: Double)
  /// The running mean of the path length, a scalar.
  package let meanPathLength: Tensor
  /// Measures the phases of every step.
  package let clock = PhaseClock()
  private let device: Device
  let ranks: Ranks
  private let randomness: (Phase, Int) -> any RandomSource
  // Made by the first step: only then are the weights where they stay.
  private lazy var generatorExchange = ranks.exchange(
    of: generator.parameters,
    with: generator.mapping.wAverage
  )
  private lazy var discriminatorExchange = ranks.exchange(
    of: discriminator.parameters,
    with: generator.mapping.wAverage
  )

  /// Fresh networks.
  ///
  /// - Parameters:
  ///   - configuration: What is computed.
  ///   - device: Where.
  ///   - clipSide: CLIP's input size in pixels.
  ///   - encodeImage: CLIP's image tower on that device.
  ///   - textMapper: Makes pseudo-text features, on that device; noise does if `nil`.
  ///   - reducedPrecision: The type of blocks in reduced precision; the device's own if not given.
  ///   - ranks: The processes that share each step.
  ///   - randomness: The source of a phase's draws at a number of images seen; derived from the seed
  ///     if not given. The first draw of each is the latents.
  package init(
    _ configuration: TrainerConfiguration,
    device: Device,
    clipSide: Int,
    encodeImage: @escaping (Tensor) -> Tensor,
    textMapper: TextMapper? = nil,
    reducedPrecision: DType? = nil,
    ranks: Ranks = .alone,
    randomness: ((Phase, Int) -> any RandomSource)? = nil
  ) {
    self.configuration = configuration
    self.device = device
    self.ranks = ranks
    self.randomness =
      randomness ?? { phase, imagesSeen in
        SeededRandom(
          seed: configuration.seed,
          stream: phase.randomStream,
          position: UInt64(imagesSeen)
        )
      }
    let random = SeededRandom(seed: configuration.seed, stream: .weights, position: 0)
    let precision = reducedPrecision ?? device.reducedPrecision
    generator = Generator(configuration.generator, reducedPrecision: precision, random: random)
    discriminator = Discriminator(
      configuration.discriminator,
      reducedPrecision: precision,
      frozenLayers: configuration.frozenLayers,
      random: random
    )
    average = Generator(configuration.generator, reducedPrecision: precision, random: random)
    average.copyState(from: generator)
    average.setTrainable(false)
    generator.move(to: device)
    discriminator.move(to: device)
    average.move(to: device)
    generatorOptimizer = Adam(
      generator.parameters,
      configuration.generatorOptimizer.lazy(
        interval: configuration.generatorRegularisationInterval
      )
    )
    discriminatorOptimizer = Adam(
      discriminator.parameters,
      configuration.discriminatorOptimizer.lazy(
        interval: configuration.discriminatorRegularisationInterval
      )
    )
    learningRates = (
      generatorOptimizer.configuration.learningRate,
      discriminatorOptimizer.configuration.learningRate
    )
    meanPathLength = Tensor.zeros([]).to(device)
    let pipe = configuration.augmentation.map {
      AugmentPipe($0.transforms, probability: $0.probability)
    }
    self.pipe = pipe
    adaptive = configuration.augmentation.map { AdaptiveProbability($0) }
    context = LossContext(
      generator: generator,
      discriminator: discriminator,
      configuration: configuration.losses,
      clipSide: clipSide,
      encodeImage: encodeImage,
      textMapper: textMapper,
      augment: pipe.map { pipe in { pipe($0, random: $1) } },
      ranks: ranks
    )
  }

  /// One step: generator, path length (lazily), discriminator, R1 (lazily), average.
  ///
  /// - Parameter batch: This rank's share of the step's images with their features, on the trainer's
  ///   device.
  /// - Returns: Numbers worth recording, by the original's names, of this rank's share.
  package func step(_ batch: TrainingBatch) -> [(name: String, values: Tensor)] {
    var reports: [(name: String, values: Tensor)] = []

    reports += run(.generatorMain, batch, gain: 1)
    if let interval = configuration.generatorRegularisationInterval, steps % interval == 0 {
      reports += run(.generatorRegularisation, batch, gain: Double(interval))
    }
    reports += run(.discriminatorMain, batch, gain: 1)
    if let interval = configuration.discriminatorRegularisationInterval, steps % interval == 0 {
      reports += run(.discriminatorRegularisation, batch, gain: Double(interval))
    }

    let average = ExponentialMovingAverage(
      halfLifeKimg: configuration.emaKimg,
      rampUp: configuration.emaRampUp
    )
    clock.measure("average") {
      average.update(
        self.average,
        toward: generator,
        batchSize: configuration.batchSize,
        imagesSeen: imagesSeen
      )
    }
    imagesSeen += configuration.batchSize
    adaptAugmentation(reports)
    return reports
  }

  private func adaptAugmentation(_ reports: [(name: String, values: Tensor)]) {
    guard var adaptive, let pipe else { return }
    for report in reports where report.name == "Loss/signs/real" {
      adaptive.observe(ranks.gathered(report.values))
    }
    adaptive.update(steps: steps, batchSize: configuration.batchSize)
    pipe.probability = adaptive.value
    self.adaptive = adaptive
  }

  private func run(
    _ phase: Phase,
    _ batch: TrainingBatch,
    gain: Double
  ) -> [(name: String, values: Tensor)] {
    clock.measure(phase.rawValue) { update(phase, batch, gain: gain) }
  }

  private func update(
    _ phase: Phase,
    _ batch: TrainingBatch,
    gain: Double
  ) -> [(name: String, values: Tensor)] {
    var sums: [Tensor] = []
    var reports: [(name: String, values: Tensor)] = []
    let exchange = phase.isGenerator ? generatorExchange : discriminatorExchange
    for round in 0..<configuration.rounds {
      let random = SharedRandom(
        randomness(phase, imagesSeen),
        ranks.share.round(round, of: configuration.rounds)
      )
      let part = batch.rows(of: Share(round, of: configuration.rounds))
      let z = random.normal([part.images.size(0), configuration.generator.zDimension]).to(device)
      let result = phaseGradients(
        phase,
        context,
        batch: part,
        z: z,
        meanPathLength: meanPathLength,
        gain: gain,
        random: random,
        exchange: round + 1 < configuration.rounds
          ? nil
          : exchange.map { StepExchange($0, ranks, before: sums, rounds: configuration.rounds) }
      )
      reports += result.reports
      if result.gradients.isEmpty { continue }
      sums = sums.isEmpty ? result.gradients : zip(sums, result.gradients).map { $0 + $1 }
    }
    let optimizer = phase.isGenerator ? generatorOptimizer : discriminatorOptimizer
    // One overflow must not poison a run of days: LAFITE replaces what is not finite.
    optimizer.step(
      shared(sums, exchange).map {
        $0.withoutNaN(nan: 0, positiveInfinity: 1e5, negativeInfinity: -1e5)
      }
    )
    return reports
  }
}

extension Phase {
  /// What its draws come from.
  fileprivate var randomStream: RandomStream {
    switch self {
    case .generatorMain: .generatorMain
    case .generatorRegularisation: .generatorRegularisation
    case .generatorBoth: .generatorBoth
    case .discriminatorMain: .discriminatorMain
    case .discriminatorRegularisation: .discriminatorRegularisation
    case .discriminatorBoth: .discriminatorBoth
    }
  }
}
