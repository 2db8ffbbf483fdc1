import Distributed
import Networks
package import Torch

/// The generator's main loss: look real under the condition, agree with it in CLIP's and in the
/// discriminator's eyes (LAFITE, arXiv 2111.13792, equation 8).
package func generatorLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  conditioning: Conditioning,
  z: Tensor,
  random: any RandomSource
) -> LossValue {
  let weights = context.configuration
  let c = conditioning.features
  let condition = conditioning.condition
  let (images, _) = context.generate(z, condition, random: random)
  let fake = context.discriminate(images, condition, random: random)
  var loss: Tensor  // [N, 1]
  switch weights.adversarial {
  case .logistic: loss = context.lossAsReal(fake)
  case .relativistic:
    let real = withoutGradients {
      context.discriminate(batch.images, condition, random: random)
    }
    loss = context.lossOfDifference(fake, real)
  }
  if weights.itc != 0 || weights.iic != 0 {
    for _ in 0..<weights.clipViews {
      let seen = context.clipFeatures(images, random: random)
      for term in [
        context.contrastive(weights.itc, seen, c),
        context.contrastive(weights.iic, seen, conditioning.images),
      ] {
        if let term { loss = loss + term.scaled(by: 1 / Double(weights.clipViews)) }
      }
    }
  }
  if weights.itd != 0 || weights.iid != 0 {
    let real: Tensor? =
      weights.iid == 0
      ? nil
      : withoutGradients {
        context.discriminate(batch.images, condition, random: random).features
      }
    if let term = context.contrastive(weights.itd, fake.features, c) { loss = loss + term }
    if let features = fake.features, let term = context.contrastive(weights.iid, real, features) {
      loss = loss + term
    }
  }
  if let term = context.visionAidedTerm(images, condition, random: random) { loss = loss + term }
  var paired: [(name: String, values: Tensor)] = []
  if weights.pairedWeight != 0 {
    let distance = pairedDistance(images, batch.images)
    loss = loss + distance * weights.pairedWeight
    paired = [("Loss/G/paired", distance.detached())]
  }
  return LossValue(
    loss,
    reports: [
      ("Loss/scores/fake", fake.logits.detached()),
      ("Loss/signs/fake", fake.logits.detached().sign()),
      ("Loss/G/loss", loss.detached()),
    ] + paired,
    generated: GeneratedBatch(images: images, condition: condition)
  )
}

/// The path length regulariser: a step in w should change the image by a fixed amount
/// (arXiv 1912.04958, equation 4).
///
/// - Parameters:
///   - context: Networks and losses.
///   - conditioning: Conditions of the batch; its first half is used.
///   - z: Latents, [N, z dimension].
///   - meanLength: The running mean of the path length, a scalar; it is updated.
///   - random: Draws latents, layer noise and path noise.
/// - Returns: The weighted penalty of half of the batch.
package func pathLengthLoss(
  _ context: LossContext,
  conditioning: Conditioning,
  z: Tensor,
  meanLength: Tensor,
  random: any RandomSource
) -> LossValue {
  let weights = context.configuration
  let count = max(z.size(0) / weights.pathLengthShrink, 1)
  let condition = conditioning.condition.first(count)
  let (images, ws) = context.generate(z.sliced(0, 0..<count), condition, random: random)
  let pixels = Double(images.size(2) * images.size(3))
  let noise = random.normal(images.shape).to(images.device) / pixels.squareRoot()
  let slopes = gradient(of: (images * noise).sum(), withRespectTo: ws, createGraph: true)
  let lengths = slopes.squared().sum(2).mean(1).squareRoot()  // [n]
  let all = context.ranks.gathered(lengths)
  let mean = meanLength.interpolated(to: all.mean(), weight: weights.pathLengthDecay)
  withoutGradients { meanLength.assign(mean.detached()) }
  var penalty = (lengths - mean).squared()
  if context.ranks.isShared {
    // The mean depends on all lengths: this rank adds its lengths' terms of the whole penalty's gradient.
    let whole = context.ranks.whole((all - mean).squared().mean())
    penalty = penalty.detached() + (whole - whole.detached())
  }
  let loss = penalty * weights.pathLengthWeight
  return LossValue(
    loss,
    reports: [
      ("Loss/pl_penalty", penalty.detached()), ("Loss/G/reg", loss.detached()),
    ]
  )
}

/// The discriminator's loss on generated images.
package func discriminatorFakeLoss(
  _ context: LossContext,
  generated: GeneratedBatch,
  random: any RandomSource
) -> LossValue {
  let fake = context.discriminate(generated.images, generated.condition, random: random)
  var loss = context.lossAsFake(fake)
  if let penalty = context.anchored(fake, isReal: false) { loss = loss + penalty }
  return LossValue(loss, reports: scores(fake, "fake"))
}

/// The discriminator's loss on real images: its logit, and its agreement with the condition.
package func discriminatorRealLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  conditioning: Conditioning,
  random: any RandomSource
) -> LossValue {
  let c = conditioning.features
  let real = context.discriminate(batch.images.detached(), conditioning.condition, random: random)
  var loss = context.lossAsReal(real)
  if let term = context.contrastive(context.configuration.itd, real.features, c) {
    loss = loss + term
  }
  if let penalty = context.anchored(real, isReal: true) { loss = loss + penalty }
  return LossValue(loss, reports: scores(real, "real"))
}

/// The discriminator's loss on pairs of a real and a generated image: their logits' difference, and the real
/// image's agreement with the condition.
package func discriminatorPairLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  generated: GeneratedBatch,
  conditioning: Conditioning,
  random: any RandomSource
) -> LossValue {
  let c = conditioning.features
  let fake = context.discriminate(generated.images, generated.condition, random: random)
  let real = context.discriminate(batch.images.detached(), conditioning.condition, random: random)
  var loss = context.lossOfDifference(real, fake)
  if let term = context.contrastive(context.configuration.itd, real.features, c) {
    loss = loss + term
  }
  for (output, isReal) in [(fake, false), (real, true)] {
    if let penalty = context.anchored(output, isReal: isReal) { loss = loss + penalty }
  }
  return LossValue(
    loss,
    reports: scores(fake, "fake") + scores(real, "real") + [("Loss/D/loss", loss.detached())]
  )
}

/// The discriminator's loss on real images with the conditions of other images, which are wrong (Reed et al.,
/// arXiv 1605.05396, algorithm 1).
///
/// Each image takes the condition of the next one of the batch, the last that of the first.
package func mismatchLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  conditioning: Conditioning,
  random: any RandomSource
) -> LossValue {
  let wrong = context.nextConditions(conditioning.condition)
  let output = context.discriminate(batch.images.detached(), wrong, random: random)
  let loss = context.lossAsFake(output) * context.configuration.mismatchWeight
  return LossValue(loss, reports: scores(output, "mismatched"))
}

/// R1 or R2, the discriminator's regularisers: γ/2 · |∂Σ logits / ∂ image|² on real (Mescheder et al., arXiv
/// 1801.04406, equation 9) or on generated images.
///
/// - Parameters:
///   - context: Networks and losses.
///   - images: [N, 3, R, R]; no gradient goes beyond them.
///   - condition: Their condition.
///   - gamma: The weight, γ.
///   - isReal: Whether it is R1, which decides the names of the reports.
///   - random: Draws augmentation.
/// - Returns: The weighted penalty.
package func gradientPenaltyLoss(
  _ context: LossContext,
  images: Tensor,
  condition: Condition,
  gamma: Double,
  isReal: Bool = true,
  random: any RandomSource
) -> LossValue {
  let images = images.detached()
  images.requiresGradient = true
  let output = context.discriminate(images, condition, random: random)
  let slopes = gradient(of: context.logitSum(output), withRespectTo: images, createGraph: true)
  let squares = slopes.squared().sum(1, 2, 3)  // [N]
  let loss = squares * (gamma / 2)
  let penalty = (isReal ? "Loss/r1_penalty" : "Loss/r2_penalty", squares.detached())
  return LossValue(
    loss,
    reports: isReal
      ? scores(output, "real") + [penalty, ("Loss/D/reg", loss.detached())] : [penalty]
  )
}

private func scores(
  _ output: Discriminator.Output,
  _ name: String
) -> [(name: String, values: Tensor)] {
  [
    ("Loss/scores/\(name)", output.logits.detached()),
    ("Loss/signs/\(name)", output.logits.detached().sign()),
  ]
}
