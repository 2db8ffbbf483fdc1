import Distributed
package import Networks
package import Torch
import TorchNN

/// The networks, optimisers and counters of a run, and the step that moves them.
///
/// A step is a pure function of the state, the batch and the configuration's seed: all its random
/// numbers derive from (seed, phase, images seen).
package final class Trainer {
  /// The configuration.
  package let configuration: TrainerConfiguration
  /// The generator in training, G.
  package let generator: Generator
  /// The discriminator in training, D.
  package let discriminator: Discriminator
  /// The averaged generator, G_ema: the one that is sampled and scored.
  package let average: Generator
  /// Images shown so far.
  package internal(set) var imagesSeen = 0
  /// Number of steps taken.
  package var steps: Int { imagesSeen / configuration.batchSize }

  /// The probability of an augmentation in use; 0 without augmentation.
  package var augmentProbability: Double { adaptive?.value ?? 0 }

  let pipe: AugmentPipe?
  var adaptive: AdaptiveProbability?
  let context: LossContext
  let generatorOptimizer: Adam
  let discriminatorOptimizer: Adam
  /// Factor on both learning rates: 1 until a collapse was rolled back.
  package internal(set) var learningRateFactor = 1.0 { didSet { setLearningRates() } }
  private let learningRates: (generator: Double, discriminator: Double)
  /// The state of generator and average: reflection finds them once, not in each step.
  let generatorState: [StateEntry]
  let averageState: [StateEntry]
  /// The running mean of the path length, a scalar.
  package let meanPathLength: Tensor
  /// The state that a checkpoint is being written from.
  var loan: StateLoan?
  /// The generator's images of this step, one batch a round, if the discriminator's phase reuses them.
  var generated: [GeneratedBatch] = []
  /// Measures the phases of every step.
  package let clock: PhaseClock
  let device: Device
  let ranks: Ranks
  let randomness: (Phase, Int) -> any RandomSource
  // Made in the first step: the parameters' storage is final only then.
  lazy var generatorExchange = ranks.exchange(
    of: generatorOptimizer.parameters,
    with: generator.mapping.wAverage
  )
  lazy var discriminatorExchange = ranks.exchange(
    of: discriminatorOptimizer.parameters,
    with: generator.mapping.wAverage
  )

  /// Fresh networks.
  ///
  /// - Parameters:
  ///   - inputs: Options, data, models, device and ranks.
  ///   - reducedPrecision: The type of blocks in reduced precision; the device's own if not given.
  ///   - randomness: The random source of a phase at a number of images seen; derived from the seed if not
  ///     given. The first draw of each is the latents.
  package init(
    _ inputs: StepInputs,
    reducedPrecision: DType? = nil,
    randomness: ((Phase, Int) -> any RandomSource)? = nil
  ) {
    let (configuration, device) = (inputs.options.trainer, inputs.device)
    self.configuration = configuration
    self.device = device
    clock = PhaseClock(device)
    ranks = inputs.ranks
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
    generator = Generator(
      configuration.generator,
      reducedPrecision: precision,
      frozenResolution: configuration.frozenResolution,
      random: random
    )
    discriminator = Discriminator(
      configuration.discriminator,
      reducedPrecision: precision,
      frozenLayers: configuration.frozenLayers,
      random: random
    )
    average = Generator(
      configuration.generator,
      reducedPrecision: precision,
      frozenResolution: configuration.frozenResolution,
      random: UninitializedSource()
    )
    average.copyState(from: generator)
    average.setTrainable(false)
    generator.move(to: device)
    discriminator.move(to: device)
    average.move(to: device)
    (generatorState, averageState) = (generator.state, average.state)
    generatorOptimizer = Adam(
      generator.parameters,
      configuration.generatorOptimizer.lazy(
        interval: configuration.generatorRegularisationInterval
      ),
      learningRateFactors: generator.namedParameters.map {
        // A layer of multiplier m keeps its weights divided by m: a factor of 1/m on Adam's step moves
        // them as a layer of multiplier 1 moves.
        TextLayers.contain($0.name)
          ? configuration.textLearningRateMultiplier / TextLayers.learningRateMultiplier : 1
      }
    )
    let pipe = configuration.augmentation.map {
      AugmentPipe($0.transforms, probability: $0.probability)
    }
    self.pipe = pipe
    adaptive = configuration.augmentation.map { AdaptiveProbability($0) }
    context = LossContext(
      inputs,
      generator: generator,
      discriminator: discriminator,
      augment: pipe.map { pipe in { pipe($0, random: $1) } }
    )
    discriminatorOptimizer = Adam(
      context.parameters(of: .discriminatorMain),
      configuration.discriminatorOptimizer.lazy(
        interval: configuration.discriminatorRegularisationInterval
      )
    )
    learningRates = (
      generatorOptimizer.configuration.learningRate,
      discriminatorOptimizer.configuration.learningRate
    )
    meanPathLength = Tensor.zeros([]).to(device)
  }

  /// Sets the learning rates of the next step.
  func setLearningRates() {
    let factor =
      learningRateFactor * configuration.learningRateDecay(imagesSeen: imagesSeen)
    generatorOptimizer.configuration.learningRate = learningRates.generator * factor
    discriminatorOptimizer.configuration.learningRate = learningRates.discriminator * factor
  }

  /// Sets the weight of the vision-aided discriminator in the next step, and before the first one what its features
  /// are normalised by.
  func setVisionAid(_ batch: TrainingBatch) {
    guard let vision = context.vision else { return }
    vision.weight = configuration.visionAidedWeight(imagesSeen: imagesSeen)
    if !vision.discriminator.isPrepared {
      vision.discriminator.prepare(with: batch.images, gathering: ranks.gathered)
    }
  }
}
