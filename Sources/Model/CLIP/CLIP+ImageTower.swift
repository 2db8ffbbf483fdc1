package import Torch
import TorchNN

extension CLIP {
  /// Lets the image tower compute in another type from now on; norms keep float32 weights.
  ///
  /// - Parameter precision: The type.
  /// - Returns: Normalised pixels [N, 3, side, side] → features [N, E], float32.
  package func imageTower(in precision: DType) -> (Tensor) -> Tensor {
    convertMatrices(of: "visual.", to: precision)
    return { pixels in self.encodeImage(pixels.to(precision)).to(.float32) }
  }

  /// Converts the weights of two or more dimensions; norms and biases stay as they are.
  ///
  /// - Parameters:
  ///   - part: How their names begin; all if empty.
  ///   - precision: The type.
  func convertMatrices(of part: String = "", to precision: DType) {
    withoutGradients {
      for entry in state where entry.name.hasPrefix(part) && entry.tensor.rank > 1 {
        if entry.tensor.dtype != precision {
          entry.tensor.adopt(entry.tensor.detached().to(precision))
        }
      }
    }
  }
}
