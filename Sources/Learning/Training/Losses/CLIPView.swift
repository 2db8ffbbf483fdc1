import CLIP
import Networks
package import Torch

/// Generated images, preprocessed for CLIP.
///
/// - Parameters:
///   - images: [N, 3, R, R], [−1, 1].
///   - side: CLIP's input size in pixels.
///   - crop: `random` as LAFITE: an image smaller than `side` is placed at random on white; a larger or
///     equal one is cropped to one random square for the whole batch, at least half its side, and
///     resampled bicubically. `none` resamples the whole image.
///   - random: Draws the side of the crop (if cropping), then its left and its top edge.
/// - Returns: [N, 3, side, side], normalised with CLIP's mean and standard deviation.
package func clipView(
  _ images: Tensor,
  side: Int,
  crop: CLIPCrop,
  random: any RandomSource
) -> Tensor {
  let size = images.size(-1)
  var view = images
  switch crop {
  case .none:
    if size != side { view = view.bicubic(height: side, width: side) }
  case .random where size < side:
    let left = random.integer(in: 0..<side - size + 1)
    let top = random.integer(in: 0..<side - size + 1)
    view = view.padded(
      [left, side - size - left, top, side - size - top],
      value: 1
    )
  case .random:
    let square = random.integer(in: size / 2..<size + 1)
    let left = random.integer(in: 0..<size - square + 1)
    let top = random.integer(in: 0..<size - square + 1)
    view = view.sliced(3, left..<left + square).sliced(2, top..<top + square)
      .bicubic(height: side, width: side)
  }
  return CLIP.normalize((view + 1) / 2)
}
