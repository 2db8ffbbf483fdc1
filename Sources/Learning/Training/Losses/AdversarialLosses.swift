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
  var loss = (-fake.logits).softplus()  // [N, 1]
  if let term = context.coupling(fake, slopes: -(-fake.logits.detached()).sigmoid()) {
    loss = loss + term
  }
  if weights.itc != 0 || weights.iic != 0 {
    let view = clipView(
      images,
      side: context.inputs.clip.side,
      crop: weights.clipCrop,
      random: random
    )
    let seen = context.inputs.clip.encode(view).normalized()
    for term in [
      context.contrastive(weights.itc, seen, c),
      context.contrastive(weights.iic, seen, conditioning.images),
    ] {
      if let term { loss = loss + term }
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
  return LossValue(
    loss,
    reports: [
      ("Loss/scores/fake", fake.logits.detached()),
      ("Loss/signs/fake", fake.logits.detached().sign()),
      ("Loss/G/loss", loss.detached()),
    ],
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
  var loss = fake.logits.softplus()
  if let term = context.coupling(fake, slopes: fake.logits.detached().sigmoid()) {
    loss = loss + term
  }
  return LossValue(
    loss,
    reports: [
      ("Loss/scores/fake", fake.logits.detached()),
      ("Loss/signs/fake", fake.logits.detached().sign()),
    ]
  )
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
  var loss = (-real.logits).softplus()
  if let term = context.coupling(real, slopes: -(-real.logits.detached()).sigmoid()) {
    loss = loss + term
  }
  if let term = context.contrastive(context.configuration.itd, real.features, c) {
    loss = loss + term
  }
  return LossValue(loss, reports: scores(real))
}

/// R1, the discriminator's regulariser: γ/2 · |∂Σ logits / ∂ image|² on real images (Mescheder et al.,
/// arXiv 1801.04406, equation 9).
package func gradientPenaltyLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  conditioning: Conditioning,
  random: any RandomSource
) -> LossValue {
  let images = batch.images.detached()
  images.requiresGradient = true
  let real = context.discriminate(images, conditioning.condition, random: random)
  let slopes = gradient(of: context.logitSum(real), withRespectTo: images, createGraph: true)
  let squares = slopes.squared().sum(1, 2, 3)  // [N]
  let loss = squares * (context.configuration.gamma / 2)
  return LossValue(
    loss,
    reports: scores(real) + [
      ("Loss/r1_penalty", squares.detached()), ("Loss/D/reg", loss.detached()),
    ]
  )
}

private func scores(_ real: Discriminator.Output) -> [(name: String, values: Tensor)] {
  [
    ("Loss/scores/real", real.logits.detached()),
    ("Loss/signs/real", real.logits.detached().sign()),
  ]
}
