package import Torch

/// Features with noise: of an image's feature the pseudo text feature, for training and painting without
/// a text (LAFITE, arXiv 2111.13792, equation 3).
///
/// - Parameters:
///   - features: CLIP features of unit length, [N, F].
///   - noise: Normal numbers scaled to unit length, [N, F].
///   - share: Of noise, 0 to 1.
/// - Returns: [N, F], unit length.
package func withNoise(_ features: Tensor, _ noise: Tensor, share: Double) -> Tensor {
  (features * (1 - share) + noise * share).normalized()
}
