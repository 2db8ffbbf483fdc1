import Networks
import Torch

/// The form of the adversarial loss.
package enum AdversarialForm: String, Codable, Sendable, CaseIterable {
  /// Each logit by itself, as StyleGAN and LAFITE: softplus(−D(x)) for a real x, softplus(D(x)) for another.
  case logistic
  /// The difference of a real and a generated image's logits: softplus(−(D(real) − D(fake))), and the reverse
  /// for the generator (RpGAN, arXiv 1807.00734; arXiv 2501.05441, equation 1).
  case relativistic
}

// Losses of logits, each with what it owes to the agreement that all logits may share.

extension LossContext {
  /// softplus(−logit), [N, 1]: low where the images look real.
  func lossAsReal(_ output: Discriminator.Output) -> Tensor {
    let loss = (-output.logits).softplus()
    return coupled(loss, output, slopes: -(-output.logits.detached()).sigmoid())
  }

  /// softplus(logit), [N, 1]: low where the images look generated.
  func lossAsFake(_ output: Discriminator.Output) -> Tensor {
    let loss = output.logits.softplus()
    return coupled(loss, output, slopes: output.logits.detached().sigmoid())
  }

  /// softplus(−(better − worse)), [N, 1]: low where the first images look more real than the second.
  ///
  /// - Parameters:
  ///   - better: The output for the images that are to win.
  ///   - worse: The output for the others, image by image.
  /// - Returns: The losses; the gradient goes where the outputs have one.
  func lossOfDifference(
    _ better: Discriminator.Output,
    _ worse: Discriminator.Output
  ) -> Tensor {
    let difference = better.logits - worse.logits
    let slopes = (-difference.detached()).sigmoid()
    let loss = coupled((-difference).softplus(), better, slopes: -slopes)
    return coupled(loss, worse, slopes: slopes)
  }

  /// Adds what the samples' losses owe to the agreement that all logits share.
  func coupled(
    _ loss: Tensor,
    _ output: Discriminator.Output,
    slopes: Tensor
  ) -> Tensor {
    coupling(output, slopes: slopes).map { loss + $0 } ?? loss
  }
}
