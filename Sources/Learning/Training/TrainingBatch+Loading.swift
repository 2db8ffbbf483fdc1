package import Datasets
import Networks
import Pixels
package import Torch

/// A batch from the loader as tensors: pixels to [−1, 1], features to unit length.
package func trainingBatch(_ batch: HostBatch, on device: Device) -> TrainingBatch {
  let (N, R, F) = (batch.size, batch.resolution, batch.featureDimension)
  let pixels = Tensor(batch.pixels, shape: [N, R, R, 3]).to(device)
  let images = imageTensor(pixels: pixels)
  return TrainingBatch(
    // The loader's bytes have the channels innermost. On a GPU the discriminator sees both halves of a step in
    // one order of memory, which its layers keep.
    images: device == .cpu ? images : images.contiguous(),
    imageFeatures: Tensor(batch.imageFeatures, shape: [N, F]).to(device).normalized(),
    textFeatures: Tensor(batch.textFeatures, shape: [N, F]).to(device).normalized(),
    labels: batch.labels.isEmpty
      ? nil : Tensor(batch.labels, shape: [N, batch.labels.count / N]).to(device)
  )
}
