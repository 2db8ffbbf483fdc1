package import Datasets
package import Torch

/// CLIP features [N, F] as tensors.
extension Tensor: FeatureVector {
  package var atUnitLength: Tensor { normalized() }
}
