import Datasets
package import Networks

/// The form of the contrastive loss.
package enum ContrastiveForm: String, Codable, Sendable, CaseIterable {
  /// That of the released LAFITE: the similarities are exponentiated once more before the softmax. The
  /// published weights and temperatures are tuned to it.
  case lafite
  /// InfoNCE (arXiv 1807.03748) as the paper writes it (LAFITE, equations 6 and 7).
  case infonce
}

/// The preprocessing of images to CLIP's input size.
package enum CLIPCrop: String, Codable, Sendable, CaseIterable {
  /// As LAFITE: a random square of half to full side, or a random position on white if too small.
  case random
  /// The whole image, resampled if its size differs.
  case none
}

/// Weights and forms of LAFITE's losses, with the released code's defaults and flag names.
package struct LossConfiguration: Codable, Equatable, Sendable {
  /// Weight of the discriminator's contrastive loss between image and condition.
  package var itd = 10.0
  /// Weight of CLIP's contrastive loss between generated image and condition.
  package var itc = 10.0
  /// Weight of the discriminator's contrastive loss between real and generated image.
  package var iid = 0.0
  /// Weight of CLIP's contrastive loss between generated and real image.
  package var iic = 0.0
  /// Temperature of the contrastive losses; 0 or less uses the plain similarity.
  package var temp = 0.5
  /// Balance of the two directions of the contrastive loss.
  package var lam = 0.0
  /// Form of the contrastive loss.
  package var contrastive = ContrastiveForm.lafite
  /// Probability that a sample is conditioned on its perturbed image feature instead of its text:
  /// 0 is training with captions, 1 without any (language-free).
  package var mixingProb = 0.0
  /// Share of noise in a perturbed text feature.
  package var textNoise = 0.1
  /// Share of noise in a perturbed image feature (the pseudo text of LAFITE-G).
  package var imageNoise = standardPseudoTextNoise
  /// Weight of the R1 gradient penalty, γ.
  package var gamma = 10.0
  /// Weight of the same penalty on generated images (R2, arXiv 2501.05441); 0 leaves it out.
  package var generatedGamma = 0.0
  /// Form of the adversarial loss.
  package var adversarial = AdversarialForm.logistic
  /// Weight of the discriminator's loss on real images with another image's condition (matching-aware, arXiv
  /// 1605.05396, algorithm 1); 0 leaves it out.
  package var mismatchWeight = 0.0
  /// Weight of LeCam's regulariser of the discriminator (arXiv 2104.03310); 0 leaves it out.
  package var anchorWeight = 0.0
  /// Weight in the generator's loss of the distance to the real image of the condition (pix2pix, arXiv 1611.07004,
  /// equation 3); 0 leaves it out.
  package var pairedWeight = 0.0
  /// Thousands of images for which the generator learns from that distance alone, and no discriminator learns.
  package var pairedWarmup = 0.0
  /// Weight in the generator's loss of a second discriminator on the features of a classifier (vision-aided, arXiv
  /// 2112.09130); 0 leaves it out.
  package var visionAidedWeight = 0.0
  /// Thousands of images for which that discriminator learns alone; the weight rises over as many more.
  package var visionAidedWarmup = 2.0
  /// Differentiable augmentation of everything that the discriminator sees; `nil` for none.
  package var diffAugment: DiffAugment?
  /// Augmented views of each image that CLIP's loss averages (AugCLIP, arXiv 2112.01573, section 3.1); one is
  /// the plain image.
  package var clipViews = 1
  /// Probability of mixing the styles of two latents.
  package var styleMixingProb = 0.9
  /// Weight of the path length regulariser.
  package var pathLengthWeight = 2.0
  /// The weight of a new value in the running mean of the path length.
  package var pathLengthDecay = 0.01
  /// The path length is measured on 1 / shrink of the batch.
  package var pathLengthShrink = 2
  /// The preprocessing of images for CLIP.
  package var clipCrop = CLIPCrop.random

  /// Whether the ranks gather their features, so that batch-wide losses see the whole step.
  ///
  /// That concerns the contrastive losses and the agreement that all logits share. Otherwise each rank uses
  /// its own images, as LAFITE does without `--gather`.
  package var gathers = true

  /// LAFITE's defaults.
  package init() {}
}
