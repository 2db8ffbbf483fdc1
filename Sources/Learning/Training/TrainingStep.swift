package import Distributed
import Networks
package import Torch
import TorchNN

extension Trainer {
  /// One step: generator, path length (lazily), discriminator, R1 (lazily), average; while it warms up by pairs,
  /// generator and average.
  ///
  /// - Parameter batch: This rank's slice of the step's images with their features, on the trainer's
  ///   device.
  /// - Returns: This rank's values to record, by the original's names.
  package func step(_ batch: TrainingBatch) -> [(name: String, values: Tensor)] {
    var reports: [(name: String, values: Tensor)] = []

    setLearningRates()
    if configuration.warmsUpByPairs(imagesSeen: imagesSeen) {
      reports += run(.generatorWarmup, batch, gain: 1)
      finishStep()
      return reports
    }
    setVisionAid(batch)
    reports += run(.generatorMain, batch, gain: 1)
    if let interval = configuration.generatorRegularisationInterval, steps % interval == 0 {
      reports += run(.generatorRegularisation, batch, gain: Double(interval))
    }
    reports += run(.discriminatorMain, batch, gain: 1)
    if let interval = configuration.discriminatorRegularisationInterval, steps % interval == 0 {
      reports += run(.discriminatorRegularisation, batch, gain: Double(interval))
    }

    finishStep()
    adaptAugmentation(reports)
    return reports
  }

  /// Averages the generator and counts the step's images.
  private func finishStep() {
    generated = []
    clock.measure("average") { updateAverage() }
    imagesSeen += configuration.batchSize
  }

  /// One phase: its gradients for all images of the step, and one step of its optimiser.
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
      let random = SlicedRandom(
        randomness(phase, imagesSeen),
        ranks.slice.round(round, of: configuration.rounds)
      )
      let part = batch.rows(of: BatchSlice(round, of: configuration.rounds))
      let z = random.normal([part.images.size(0), configuration.generator.zDimension]).to(device)
      let result = phaseGradients(
        phase,
        context,
        batch: part,
        z: z,
        meanPathLength: meanPathLength,
        gain: gain,
        random: random,
        reusing: phase == .discriminatorMain && configuration.reusesFakes ? generated[round] : nil,
        exchange: round + 1 < configuration.rounds
          ? nil
          : exchange.map { StepExchange($0, ranks, before: sums, rounds: configuration.rounds) }
      )
      reports += result.reports
      if phase == .generatorMain, configuration.reusesFakes, let painted = result.generated {
        generated.append(painted)
      }
      if result.gradients.isEmpty { continue }
      sums = sums.isEmpty ? result.gradients : zip(sums, result.gradients).map { $0 + $1 }
    }
    let optimizer = phase.isGenerator ? generatorOptimizer : discriminatorOptimizer
    settleLoan()
    // One overflow must not poison a run of days: LAFITE replaces NaN and infinity.
    optimizer.step(
      shared(sums, exchange).map {
        $0.withoutNaN(nan: 0, positiveInfinity: 1e5, negativeInfinity: -1e5)
      }
    )
    return reports
  }

  private func updateAverage() {
    settleLoan()
    let rule = ExponentialMovingAverage(
      halfLifeKimg: configuration.emaKimg,
      rampUp: configuration.emaRampUp,
      relativeDeviation: configuration.emaDeviation
    )
    rule.update(
      averageState,
      toward: generatorState,
      batchSize: configuration.batchSize,
      imagesSeen: imagesSeen
    )
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
}

/// Computes one phase's gradients.
///
/// - Parameters:
///   - phase: The phase.
///   - context: Networks and losses.
///   - batch: Real images with their features.
///   - z: Latents, [N, z dimension].
///   - meanPathLength: The running mean of the path length, a scalar; the regulariser updates it.
///   - gain: Factor on the loss; the interval of a lazy regulariser.
///   - random: Draws in this order: conditioning noise; then, loss by loss, second latent, cutoff,
///     mixing choice, per-layer noise, CLIP crop, path noise.
///   - generated: The generated images for the discriminator; new ones are painted if `nil`.
///   - exchange: Takes the gradients while the last backward pass computes them.
/// - Returns: Gradients and reports.
package func phaseGradients(
  _ phase: Phase,
  _ context: LossContext,
  batch: TrainingBatch,
  z: Tensor,
  meanPathLength: Tensor,
  gain: Double,
  random: any RandomSource,
  reusing generated: GeneratedBatch? = nil,
  exchange: StepExchange? = nil
) -> PhaseResult {
  let c = context.conditioning(batch, random: random)
  var sum = PhaseGradients(of: context.parameters(of: phase), gain: gain, exchange: exchange)
  switch phase {
  case .generatorWarmup:
    return sum.finish(pairedLoss(context, batch: batch, conditioning: c, z: z, random: random))
  case .generatorMain:
    return sum.finish(generatorLoss(context, batch: batch, conditioning: c, z: z, random: random))
  case .generatorRegularisation:
    return sum.finish(
      pathLengthLoss(context, conditioning: c, z: z, meanLength: meanPathLength, random: random)
    )
  case .discriminatorMain:
    let painted = generated ?? context.generated(z, c.condition, random: random)
    if let vision = context.vision {
      sum.add(
        context.visionAidedLoss(
          vision,
          batch: batch,
          generated: painted,
          conditioning: c,
          random: random
        )
      )
    }
    if context.configuration.mismatchWeight != 0 {
      sum.add(mismatchLoss(context, batch: batch, conditioning: c, random: random))
    }
    if context.configuration.adversarial == .relativistic {
      return sum.finish(
        discriminatorPairLoss(
          context,
          batch: batch,
          generated: painted,
          conditioning: c,
          random: random
        )
      )
    }
    let fake = discriminatorFakeLoss(context, generated: painted, random: random)
    sum.add(fake)
    let real = discriminatorRealLoss(context, batch: batch, conditioning: c, random: random)
    sum.reports.append(("Loss/D/loss", fake.perSample + real.perSample))
    return sum.finish(real)
  case .discriminatorRegularisation:
    let weights = context.configuration
    if weights.generatedGamma != 0 {
      let painted = context.generated(z, c.condition, random: random)
      sum.add(
        gradientPenaltyLoss(
          context,
          images: painted.images,
          condition: painted.condition,
          gamma: weights.generatedGamma,
          isReal: false,
          random: random
        )
      )
    }
    return sum.finish(
      gradientPenaltyLoss(
        context,
        images: batch.images,
        condition: c.condition,
        gamma: weights.gamma,
        random: random
      )
    )
  }
}
