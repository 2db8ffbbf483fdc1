package import Networks
package import Torch
package import TorchNN

/// The settings that decide what a training run computes, with LAFITE's defaults.
package struct TrainerConfiguration: Codable, Equatable, Sendable {
  /// Shape of the generator.
  package var generator: GeneratorConfiguration
  /// Shape of the discriminator.
  package var discriminator: DiscriminatorConfiguration
  /// The losses.
  package var losses = LossConfiguration()
  /// Optimiser of the generator, before the correction for lazy regularisation.
  package var generatorOptimizer = Adam.Configuration(learningRate: 0.0025, beta1: 0, beta2: 0.99)
  /// Optimiser of the discriminator, before the correction for lazy regularisation.
  package var discriminatorOptimizer = Adam.Configuration(
    learningRate: 0.0025,
    beta1: 0,
    beta2: 0.99
  )
  /// Learning rate multiplier of the generator's layers that read the text feature
  /// (`TextLayers`); 1 lets them learn as fast as all others.
  package var textLearningRateMultiplier = TextLayers.learningRateMultiplier
  /// Whether the discriminator's step takes the images of the generator's step instead of painting
  /// new ones.
  package var reusesFakes = false
  /// The number of the discriminator's first layers that are frozen.
  package var frozenLayers = 0
  /// The generator's blocks up to this resolution are frozen; 0 freezes none.
  package var frozenResolution = 0
  /// Augmentation of the discriminator's images; `nil` for none.
  package var augmentation: AugmentationOptions?
  /// Images per step.
  package var batchSize = 16
  /// Rounds in which each rank computes its slice of a step; more rounds need less memory.
  package var rounds = 1
  /// The path length regulariser runs every so many steps; `nil` turns it off.
  package var generatorRegularisationInterval: Int? = 4
  /// R1 runs every so many steps; `nil` turns it off.
  package var discriminatorRegularisationInterval: Int? = 16
  /// Half-life of the averaged generator in thousands of images.
  package var emaKimg = 5.0
  /// Share of the images seen that bounds the half-life early on; `nil` turns the ramp-up off.
  package var emaRampUp: Double? = 0.05
  /// The average's standard deviation relative to the images seen, σ_rel (arXiv 2312.02696, section 3.1); `nil`
  /// for an exponential average.
  package var emaDeviation: Double?
  /// Thousands of images from which on the learning rates fall with the square root of the images seen (arXiv
  /// 2312.02696, equation 67); `nil` keeps them.
  package var learningRateDecayKimg: Double?
  /// Seed of everything random.
  package var seed: UInt64 = 0

  /// LAFITE's configuration for images of a resolution.
  package init(resolution: Int) {
    generator = GeneratorConfiguration(resolution: resolution)
    discriminator = DiscriminatorConfiguration(resolution: resolution)
  }

  /// The factor on the learning rates: 1 up to `learningRateDecayKimg`, then 1/√(images seen / that many).
  package func learningRateDecay(imagesSeen: Int) -> Double {
    guard let learningRateDecayKimg else { return 1 }
    return 1 / max(Double(imagesSeen) / (learningRateDecayKimg * 1000), 1).squareRoot()
  }

  /// Whether the generator learns from paired images alone in the step after so many images.
  package func warmsUpByPairs(imagesSeen: Int) -> Bool {
    losses.pairedWeight != 0 && Double(imagesSeen) < losses.pairedWarmup * 1000
  }

  /// The weight of the vision-aided discriminator in the generator's loss.
  ///
  /// 0 up to `visionAidedWarmup`, then it rises linearly over as many images. Both count from the end of the
  /// warm-up by pairs.
  package func visionAidedWeight(imagesSeen: Int) -> Double {
    let warmup = losses.visionAidedWarmup * 1000
    guard warmup > 0 else { return losses.visionAidedWeight }
    let learned = Double(imagesSeen) - (losses.pairedWeight == 0 ? 0 : losses.pairedWarmup * 1000)
    return losses.visionAidedWeight * min(max(learned / warmup - 1, 0), 1)
  }

  /// The type in which CLIP computes on generated images.
  ///
  /// It is that of the blocks in reduced precision, if the generator has some. The original's CLIP computes
  /// in float16 on CUDA, too.
  package func clipPrecision(on device: Device) -> DType {
    generator.reducedPrecisionResolutions > 0 ? device.reducedPrecision : .float32
  }
}
