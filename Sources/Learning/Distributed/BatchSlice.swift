package import Torch

/// A strided slice of a step's batch: the images of one rank, or of one round of it.
///
/// Slice i of n holds the images at i, i + n, i + 2n, … of the step, as the original deals them out.
/// Then a slice of a multiple of the group size holds whole groups of the minibatch deviation, and
/// the first half of a slice lies in the first half of the step, where the path length is measured.
package struct BatchSlice: Equatable, Sendable {
  /// The index, from 0.
  package let index: Int
  /// The number of slices.
  package let count: Int

  /// All images.
  package static let whole = BatchSlice(0, of: 1)

  /// One of several.
  package init(_ index: Int, of count: Int) {
    precondition(count > 0 && (0..<count).contains(index), "slice \(index) of \(count)")
    (self.index, self.count) = (index, count)
  }

  /// One of the rounds in which a slice is computed.
  package func round(_ round: Int, of rounds: Int) -> BatchSlice {
    BatchSlice(round * count + index, of: count * rounds)
  }

  /// This slice of the rows of a whole step, [N, …] → [N / count, …].
  package func rows(of whole: Tensor) -> Tensor {
    if count == 1 { return whole }
    let shape = whole.shape
    precondition(shape[0] % count == 0, "\(shape[0]) rows in \(count) slices")
    return whole.reshaped([shape[0] / count, count] + shape.dropFirst()).selected(1, index)
      .contiguous()
  }

  /// The rows of all slices in the order of the step, [n, …] each → [n · count, …].
  package static func joined(_ slices: [Tensor]) -> Tensor {
    let shape = slices[0].shape
    return Tensor.stacked(slices, 1).reshaped([shape[0] * slices.count] + shape.dropFirst())
  }
}

/// One slice of a step's random numbers, which do not depend on the number of slices.
///
/// Every slice draws all of them and keeps its own rows. Scalars and integers are the same for all slices.
package final class SlicedRandom: RandomSource {
  private let whole: any RandomSource
  private let slice: BatchSlice

  /// The random numbers of a slice.
  ///
  /// - Parameters:
  ///   - whole: The random source of the whole step, before its first draw.
  ///   - slice: The slice whose rows are kept.
  package init(_ whole: any RandomSource, _ slice: BatchSlice) {
    (self.whole, self.slice) = (whole, slice)
  }

  package func normal(_ shape: [Int]) -> Tensor { kept(shape) { whole.normal($0) } }

  package func uniform(_ shape: [Int]) -> Tensor { kept(shape) { whole.uniform($0) } }

  package func integer(in range: Range<Int>) -> Int { whole.integer(in: range) }

  private func kept(_ shape: [Int], _ draw: ([Int]) -> Tensor) -> Tensor {
    guard let rows = shape.first else { return draw(shape) }
    return slice.rows(of: draw([rows * slice.count] + shape.dropFirst()))
  }
}
