package import Datasets
import Networks
import Pixels
package import Torch

/// A batch from the loader as tensors: pixels to [−1, 1], features to unit length.
package func trainingBatch(_ batch: HostBatch, on device: Device) -> TrainingBatch {
  let (N, R, F) = (batch.size, batch.resolution, batch.featureDimension)
  let pixels = Tensor(batch.pixels, shape: [N, R, R, 3]).to(device)
  return TrainingBatch(
    images: imageTensor(pixels: pixels),
    imageFeatures: Tensor(batch.imageFeatures, shape: [N, F]).to(device).normalized(),
    textFeatures: Tensor(batch.textFeatures, shape: [N, F]).to(device).normalized()
  )
}
