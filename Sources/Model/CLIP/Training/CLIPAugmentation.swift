package import Torch

/// Pictures with small random changes of position, size and colour, as CLIP's input.
///
/// - Parameters:
///   - images: uint8 [N, R, R, 3].
///   - configuration: How strong the changes are; a strength of 0 draws nothing.
///   - random: Where they come from.
/// - Returns: [N, 3, R, R], normalised with CLIP's mean and deviation.
package func augmented(
  _ images: Tensor,
  _ configuration: CLIPTrainingConfiguration,
  random: any RandomSource
) -> Tensor {
  let N = images.size(0)
  var x = images.permuted(0, 3, 1, 2).to(.float32) / 255
  if configuration.shiftPixels > 0 || configuration.scaling > 0 || configuration.mirror {
    // The grid's [−1, 1] is R pixels wide: a shift of one pixel is 2 / R.
    let pixel = 2 / Double(x.size(2))
    let shift = (random.uniform([N, 2]) * 2 - 1) * (configuration.shiftPixels * pixel)
    let scale = (random.uniform([N, 1]) * 2 - 1) * configuration.scaling + 1
    let side = configuration.mirror ? (random.uniform([N, 1]) - 0.5).sign() : .ones([N, 1])
    let zero = Tensor.zeros([N, 1])
    let rows = [
      scale * side, zero, shift.sliced(1, 0..<1), zero, scale, shift.sliced(1, 1..<2),
    ]
    let theta = Tensor.concatenated(rows, 1).reshaped(N, 2, 3)
    x = x.sampled(at: .affineGrid(theta, shape: x.shape), extendingBorder: true)
  }
  if configuration.colourNoise > 0 {
    let gain = random.normal([N, 3, 1, 1]) * configuration.colourNoise + 1
    let offset = random.normal([N, 3, 1, 1]) * configuration.colourNoise
    x = x * gain + offset
  }
  return CLIP.normalize(x)
}
