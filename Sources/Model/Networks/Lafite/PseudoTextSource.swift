public import Torch

/// Makes text features of images that have no text, in place of LAFITE-G's noise.
public protocol PseudoTextSource {
  /// Text features of image features.
  ///
  /// - Parameters:
  ///   - images: CLIP features of images, unit length, [N, F].
  ///   - noise: What varies the result, from N(0, I), [N, F].
  /// - Returns: Unit length, [N, F]; a row depends on no other row.
  func callAsFunction(_ images: Tensor, noise: Tensor) -> Tensor
}
