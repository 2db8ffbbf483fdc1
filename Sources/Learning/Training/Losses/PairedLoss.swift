import Networks
package import Torch

/// The distance of each generated image to the real image that it shares its condition with: the mean magnitude of
/// their difference (pix2pix, arXiv 1611.07004, equation 3) on each level of a Laplacian pyramid, summed over the
/// levels (GLO, arXiv 1707.05776, section 2).
///
/// A level is what halving an image loses, and the last one, of at most 4², is what is left. Halving takes the mean
/// of 2 × 2 pixels. Coarse levels have fewer pixels, so that colour and outline count as much as detail.
///
/// - Parameters:
///   - images: Generated images, [N, 3, R, R].
///   - real: The real images of the same rows, [N, 3, R, R]; no gradient goes to them.
/// - Returns: [N, 1].
package func pairedDistance(_ images: Tensor, _ real: Tensor) -> Tensor {
  // The pyramid is linear: that of the difference is the difference of the pyramids.
  var rest = images - real.detached()
  var distance = Tensor.zeros([images.size(0)]).to(images.device)
  while rest.size(-1) > 4, rest.size(-1) % 2 == 0 {
    let half = rest.averagePooled(2)
    distance = distance + (rest - half.nearest(2)).magnitude().mean(1, 2, 3)
    rest = half
  }
  return (distance + rest.magnitude().mean(1, 2, 3)).unsqueezed(1)
}

/// The generator's loss while it warms up: the distance to the real images alone, without an adversary and CLIP.
package func pairedLoss(
  _ context: LossContext,
  batch: TrainingBatch,
  conditioning: Conditioning,
  z: Tensor,
  random: any RandomSource
) -> LossValue {
  let (images, _) = context.generate(z, conditioning.condition, random: random)
  let distance = pairedDistance(images, batch.images)
  let loss = distance * context.configuration.pairedWeight
  return LossValue(
    loss,
    reports: [("Loss/G/loss", loss.detached()), ("Loss/G/paired", distance.detached())]
  )
}
