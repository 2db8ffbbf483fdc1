import Torch

/// Zeros for weights that are overwritten at once: drawing a hundred million numbers takes seconds.
final class ZeroSource: RandomSource {
  func normal(_ shape: [Int]) -> Tensor { .zeros(shape) }
  func uniform(_ shape: [Int]) -> Tensor { .zeros(shape) }
  func integer(in range: Range<Int>) -> Int { range.lowerBound }
}
