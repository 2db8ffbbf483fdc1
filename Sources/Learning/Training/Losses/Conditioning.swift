import CLIP
import Datasets
package import Networks
package import Torch

/// What generator and discriminator are told about images.
package struct Condition {
  /// CLIP features of unit length, [N, F].
  package let features: Tensor
  /// Class labels, [N, L]; `nil` without classes.
  package let labels: Tensor?

  /// Features and labels of the same images.
  package init(features: Tensor, labels: Tensor? = nil) {
    (self.features, self.labels) = (features, labels)
  }

  /// That of the first images.
  func first(_ count: Int) -> Condition {
    Condition(
      features: features.sliced(0, 0..<count),
      labels: labels?.sliced(0, 0..<count)
    )
  }

  func detached() -> Condition {
    Condition(features: features.detached(), labels: labels?.detached())
  }
}

/// The features a batch is conditioned on, and its labels.
///
/// A label comes with the feature of its own image. StyleGAN2-ADA, which has no texts, draws the generator's
/// labels apart from the images; here that would ask for the class of one image and the text of another, and
/// the discriminator could tell generated images by the contradiction.
package struct Conditioning {
  /// The condition of generator and discriminator, unit length, [N, F].
  package let features: Tensor
  /// The images' own CLIP features, unit length, [N, F].
  package let images: Tensor
  /// The images' class labels, [N, L]; `nil` without classes.
  package let labels: Tensor?

  /// What generator and discriminator are told.
  package var condition: Condition { Condition(features: features, labels: labels) }

  /// Perturbs features as LAFITE does (arXiv 2111.13792, equations 2 and 3).
  ///
  /// One noise n, normalised, serves both: text' = normalise((1 − a)·text + a·n) and
  /// image' = normalise((1 − b)·image + b·n), the pseudo text of language-free training.
  ///
  /// - Parameters:
  ///   - images: CLIP features of the images, unit length, [N, F].
  ///   - texts: CLIP features of the captions, unit length, [N, F].
  ///   - labels: Class labels of the images, [N, L]; `nil` without classes.
  ///   - configuration: Fractions of noise and mixing probability.
  ///   - source: Makes image' instead, of the image feature and the unnormalised n (LAFITE-NN, LAFITE2).
  ///   - random: Draws n [N, F], then, if both kinds are mixed, a choice [N, 1].
  package init(
    images: Tensor,
    texts: Tensor,
    labels: Tensor? = nil,
    configuration: LossConfiguration,
    source: (any PseudoTextSource)? = nil,
    random: any RandomSource
  ) {
    let (N, F) = images.shape2
    let drawn = random.normal([N, F]).to(images.device)
    let noise = drawn.normalized()
    func perturbed(_ features: Tensor, _ share: Double) -> Tensor {
      pseudoText(of: features, noise, share: share)
    }
    func made() -> Tensor {
      source?(images, noise: drawn) ?? perturbed(images, configuration.imageNoise)
    }
    self.images = images
    self.labels = labels
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
