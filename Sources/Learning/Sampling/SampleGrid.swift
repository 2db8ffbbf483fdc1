package import Images
package import Networks
import Pixels
package import Torch

/// The same latents under the same conditions, painted at intervals during a run.
package struct SampleGrid {
  private let z: Tensor
  private let features: Tensor
  private let labels: Tensor?
  private let columns: Int

  /// Fixes latents for given conditions.
  ///
  /// - Parameters:
  ///   - features: One condition a picture, unit length, [N, F].
  ///   - labels: One class label a picture, [N, L]; `nil` without classes.
  ///   - columns: Pictures in a row.
  ///   - zDimension: Width of the latent.
  ///   - seed: Of the latents.
  package init(
    features: Tensor,
    labels: Tensor? = nil,
    columns: Int,
    zDimension: Int,
    seed: UInt64
  ) {
    (self.features, self.labels) = (features, labels)
    self.columns = columns
    let random = SeededRandom(seed: seed, stream: .sampleGrid, position: 0)
    z = random.normal([features.size(0), zDimension]).to(features.device)
  }

  /// Paints all pictures with constant noise.
  package func paint(_ generator: Generator) -> [RGBImage] {
    withoutGradients {
      stride(from: 0, to: z.size(0), by: 32).flatMap { start in
        let range = start..<min(start + 32, z.size(0))
        return pictures(
          generator(
            z.sliced(0, range),
            fts: features.sliced(0, range),
            labels: labels?.sliced(0, range),
            noiseMode: .constant
          )
        )
      }
    }
  }

  /// How much pictures of different latents differ: the deviation over at most 16 of them, in the
  /// network's units, averaged over all pixels.
  package func spread(_ generator: Generator) -> Double {
    withoutGradients {
      let range = 0..<min(16, z.size(0))
      let images = generator(
        z.sliced(0, range),
        fts: features.sliced(0, range),
        labels: labels?.sliced(0, range),
        noiseMode: .constant
      )
      return images.to(.float32).variance(0, correction: 0).squareRoot().mean().item
    }
  }

  /// The pictures as one.
  ///
  /// - Throws: `ImageError` where there is no memory for it.
  package func image(_ generator: Generator) throws(ImageError) -> RGBImage {
    try ImageGrid(columns: columns).image(of: paint(generator))
  }
}
