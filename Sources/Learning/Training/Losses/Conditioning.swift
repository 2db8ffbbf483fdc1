import CLIP
import Datasets
package import Networks
package import Torch

/// The features a batch is conditioned on.
package struct Conditioning {
  /// The condition of generator and discriminator, unit length, [N, F].
  package let features: Tensor
  /// The images' own CLIP features, unit length, [N, F].
  package let images: Tensor

  /// Perturbs features as LAFITE does (arXiv 2111.13792, equations 2 and 3).
  ///
  /// One noise n, normalised, serves both: text' = normalise((1 − a)·text + a·n) and
  /// image' = normalise((1 − b)·image + b·n), the pseudo text of language-free training.
  ///
  /// - Parameters:
  ///   - images: CLIP features of the images, unit length, [N, F].
  ///   - texts: CLIP features of the captions, unit length, [N, F].
  ///   - configuration: Fractions of noise and mixing probability.
  ///   - mapper: Makes image' instead, of the image feature and the unnormalised n (LAFITE-NN).
  ///   - random: Draws n [N, F], then, if both kinds are mixed, a choice [N, 1].
  package init(
    images: Tensor,
    texts: Tensor,
    configuration: LossConfiguration,
    mapper: TextMapper? = nil,
    random: any RandomSource
  ) {
    let (N, F) = images.shape2
    let drawn = random.normal([N, F]).to(images.device)
    let noise = drawn.normalized()
    func perturbed(_ features: Tensor, _ share: Double) -> Tensor {
      pseudoText(of: features, noise, share: share)
    }
    func made() -> Tensor {
      mapper?(images, noise: drawn) ?? perturbed(images, configuration.imageNoise)
    }
    self.images = images
    if configuration.mixingProb > 0.99 {
      features = made()
    } else if configuration.mixingProb < 0.01 {
      features = perturbed(texts, configuration.textNoise)
    } else {
      let choice = random.uniform([N, 1]).to(images.device)
      let isText = choice .>= configuration.mixingProb
      features = made()
        .replacing(with: perturbed(texts, configuration.textNoise), where: isText)
    }
  }
}
