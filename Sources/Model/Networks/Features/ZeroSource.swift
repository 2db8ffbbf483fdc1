package import Torch

/// Zeros for weights that are overwritten at once: drawing a hundred million numbers takes seconds.
package final class ZeroSource: RandomSource {
  package init() {}

  package func normal(_ shape: [Int]) -> Tensor { .zeros(shape) }
  package func uniform(_ shape: [Int]) -> Tensor { .zeros(shape) }
  package func integer(in range: Range<Int>) -> Int { range.lowerBound }
}
