package import Images
import Pixels
package import Torch

/// Network output [N, 3, R, R] as pictures, if it is made of numbers.
///
/// A run that collapsed leaves networks that paint NaN, and so does a truncation far outside of what was
/// learnt: as pixels both would look like black pictures.
///
/// - Throws: `SamplingError` if a value is not finite.
package func finitePictures(_ images: Tensor) throws(SamplingError) -> [RGBImage] {
  guard images.isFinite else {
    throw SamplingError(
      "the network paints no numbers (NaN or infinity): its run had collapsed, or --trunc is too large; "
        + "take an earlier snapshot or a --trunc near 1"
    )
  }
  return pictures(images)
}
