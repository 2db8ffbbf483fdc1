import Distributed
package import Torch

/// One batch on the device.
package struct TrainingBatch {
  /// Real images, [N, 3, R, R], [−1, 1].
  package let images: Tensor
  /// CLIP features of the images, unit length, [N, F].
  package let imageFeatures: Tensor
  /// CLIP features of one caption each, unit length, [N, F].
  package let textFeatures: Tensor
  /// Class labels of the images, [N, L]; `nil` without classes.
  package let labels: Tensor?

  /// Collects the parts.
  package init(
    images: Tensor,
    imageFeatures: Tensor,
    textFeatures: Tensor,
    labels: Tensor? = nil
  ) {
    self.images = images
    self.imageFeatures = imageFeatures
    self.textFeatures = textFeatures
    self.labels = labels
  }

  /// A slice of the images.
  func rows(of slice: BatchSlice) -> TrainingBatch {
    TrainingBatch(
      images: slice.rows(of: images),
      imageFeatures: slice.rows(of: imageFeatures),
      textFeatures: slice.rows(of: textFeatures),
      labels: labels.map(slice.rows)
    )
  }
}
