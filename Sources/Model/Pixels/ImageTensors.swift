package import Images
package import Torch

/// Pictures as a tensor [N, 3, R, R] in [−1, 1]; all must be of one size.
package func imageTensor(_ images: [RGBImage]) -> Tensor {
  guard let first = images.first else { return .zeros([0, 3, 1, 1]) }
  let pixels = images.flatMap(\.pixels)
  return imageTensor(pixels: Tensor(pixels, shape: [images.count, first.height, first.width, 3]))
}

/// Pixels [N, R, R, 3], 0…255, as networks take them: [N, 3, R, R] in [−1, 1], float32, on the same device.
package func imageTensor(pixels: Tensor) -> Tensor {
  pixels.permuted(0, 3, 1, 2).to(.float32) / 127.5 - 1
}

/// Network output as 8-bit values of the same shape: x · 127.5 + 128, cut off to 0…255 and truncated, as
/// LAFITE and StyleGAN2 do.
package func quantized(_ images: Tensor) -> Tensor {
  (images * 127.5 + 128).clamped(from: 0, to: 255).to(.uint8)
}

/// Network output [N, 3, R, R] as pictures.
package func pictures(_ images: Tensor) -> [RGBImage] {
  pictures(ofBytes: quantized(images.detached()))
}

/// 8-bit values [N, 3, H, W] as pictures.
package func pictures(ofBytes images: Tensor) -> [RGBImage] {
  let (N, _, H, W) = images.shape4
  let bytes = images.permuted(0, 2, 3, 1).contiguous().values(UInt8.self)
  let size = H * W * 3
  return (0..<N).map { index in
    RGBImage(width: W, height: H, pixels: Array(bytes[index * size..<(index + 1) * size]))
  }
}
