package import Torch

/// Tensors without values, for weights that `Module.adopt` replaces at once.
///
/// Drawing a hundred million numbers takes seconds, and touching the memory for them takes a part of one.
package final class UninitializedSource: RandomSource {
  package init() {}

  package func normal(_ shape: [Int]) -> Tensor { .uninitialized(shape) }

  package func normal(_ shape: [Int], deviation: Double, gain: Double) -> Tensor { normal(shape) }

  package func uniform(_ shape: [Int]) -> Tensor { normal(shape) }

  package func integer(in range: Range<Int>) -> Int { range.lowerBound }
}
