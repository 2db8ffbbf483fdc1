package import Networks
import Torch

/// The vision-aided discriminator in training.
package final class VisionAid {
  /// The discriminator.
  package let discriminator: VisionAidedDiscriminator
  /// The weight of its judgement in the generator's loss, now: 0 while it warms up.
  package internal(set) var weight = 0.0

  init(_ discriminator: VisionAidedDiscriminator) { self.discriminator = discriminator }
}

// The hinge losses of vision-aided training (arXiv 2111.01007, equation 4).

extension LossContext {
  /// The weighted loss of generated images in the eyes of the vision-aided discriminator: −logit, the mean over
  /// places and heads.
  ///
  /// - Returns: [N, 1]; `nil` without such a discriminator or while it warms up.
  func visionAidedTerm(
    _ images: Tensor,
    _ condition: Condition,
    random: any RandomSource
  ) -> Tensor? {
    guard let vision, vision.weight != 0 else { return nil }
    return visionLoss(vision, images, condition, random: random) { -$0 } * vision.weight
  }

  /// The vision-aided discriminator's loss: max(0, 1 − logit) on real images, max(0, 1 + logit) on generated ones.
  func visionAidedLoss(
    _ vision: VisionAid,
    batch: TrainingBatch,
    generated: GeneratedBatch,
    conditioning: Conditioning,
    random: any RandomSource
  ) -> LossValue {
    let real = visionLoss(vision, batch.images, conditioning.condition, random: random) {
      (1 - $0).relu()
    }
    let fake = visionLoss(vision, generated.images, generated.condition, random: random) {
      (1 + $0).relu()
    }
    return LossValue(
      real + fake,
      reports: [
        ("Loss/vision/real", real.detached()), ("Loss/vision/fake", fake.detached()),
      ]
    )
  }

  /// The mean over places and heads of a function of the logits, [N, 1].
  private func visionLoss(
    _ vision: VisionAid,
    _ images: Tensor,
    _ condition: Condition,
    random: any RandomSource,
    _ loss: (Tensor) -> Tensor
  ) -> Tensor {
    let maps = vision.discriminator(augmented(images, random: random), fts: condition.features)
    let means = maps.map { loss($0).mean(2, 3) }
    return Tensor.concatenated(means, 1).mean(1, keeping: true)
  }
}
