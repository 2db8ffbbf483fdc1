package import Torch

/// CLIP's image tower as the losses call it.
package struct ImageTower {
  /// Its input size in pixels.
  package let side: Int
  /// Normalised pixels [N, 3, side, side] → features [N, F], float32.
  package let encode: (Tensor) -> Tensor

  /// A tower.
  package init(side: Int, encode: @escaping (Tensor) -> Tensor) {
    self.side = side
    self.encode = encode
  }
}
