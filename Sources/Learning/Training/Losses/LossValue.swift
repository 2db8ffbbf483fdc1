import Networks
package import Torch

/// Images of the generator and what they are conditioned on, without gradient.
package struct GeneratedBatch {
  /// [N, 3, R, R], roughly [−1, 1].
  package let images: Tensor
  /// What they are conditioned on.
  package let condition: Condition

  init(images: Tensor, condition: Condition) {
    (self.images, self.condition) = (images.detached(), condition.detached())
  }
}

/// A loss to differentiate, with the values to record.
package struct LossValue {
  /// The scalar to differentiate.
  package let total: Tensor
  /// The loss of each sample, [N] or [N, 1], without gradient.
  package let perSample: Tensor
  /// The values to record, by the original's names.
  package var reports: [(name: String, values: Tensor)]
  /// The images that the generator painted for it.
  package let generated: GeneratedBatch?

  init(
    _ loss: Tensor,
    reports: [(name: String, values: Tensor)],
    generated: GeneratedBatch? = nil
  ) {
    total = loss.mean()
    perSample = loss.detached()
    self.reports = reports
    self.generated = generated
  }
}
