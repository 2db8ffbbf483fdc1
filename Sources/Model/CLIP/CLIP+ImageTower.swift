package import Torch
import TorchNN

extension CLIP {
  /// Lets the image tower compute in another type from now on; norms keep float32 weights.
  ///
  /// - Parameter precision: The type.
  /// - Returns: Normalised pixels [N, 3, side, side] → features [N, E], float32.
  package func imageTower(in precision: DType) -> (Tensor) -> Tensor {
    if precision != .float32 {
      withoutGradients {
        for entry in state where entry.name.hasPrefix("visual.") && entry.tensor.rank > 1 {
          entry.tensor.adopt(entry.tensor.detached().to(precision))
        }
      }
    }
    return { pixels in self.encodeImage(pixels.to(precision)).to(.float32) }
  }
}
