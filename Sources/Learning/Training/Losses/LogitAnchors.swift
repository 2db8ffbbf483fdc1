import Distributed
import Networks
package import Torch

/// Running means of the discriminator's logits on real and on generated images (LeCam, Tseng et al., arXiv
/// 2104.03310, section 3.2).
package final class LogitAnchors {
  /// The mean on real images, α_R, a scalar.
  package let real: Tensor
  /// The mean on generated images, α_F, a scalar.
  package let fake: Tensor

  /// The share of the old mean in a new one.
  static let decay = 0.99

  /// Means of no images: both are 0.
  package init(on device: Device) {
    real = Tensor.zeros([]).to(device)
    fake = Tensor.zeros([]).to(device)
  }

  /// Moves a mean toward logits of all ranks, [n, 1].
  static func move(_ mean: Tensor, toward logits: Tensor) {
    withoutGradients {
      mean.assign(mean.interpolated(to: logits.mean(), weight: 1 - decay))
    }
  }
}

extension LossContext {
  /// LeCam's penalty: the weighted squared distance of logits to the running mean of the other kind, so that the
  /// discriminator keeps few pictures from driving real and generated apart.
  ///
  /// - Parameters:
  ///   - output: The output for real or for generated images, which the running mean of their kind follows
  ///     afterwards.
  ///   - isReal: Which of them it is.
  /// - Returns: The penalty of each sample, [N, 1]; `nil` without the regulariser.
  func anchored(_ output: Discriminator.Output, isReal: Bool) -> Tensor? {
    guard let anchors else { return nil }
    let weight = configuration.anchorWeight
    let distance = output.logits - (isReal ? anchors.fake : anchors.real).detached()
    let penalty = coupled(
      distance.squared() * weight,
      output,
      slopes: distance.detached() * (2 * weight)
    )
    LogitAnchors.move(
      isReal ? anchors.real : anchors.fake,
      toward: ranks.gathered(output.logits.detached())
    )
    return penalty
  }
}
