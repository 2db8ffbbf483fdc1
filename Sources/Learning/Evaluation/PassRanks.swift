package import Torch

/// The ranks that share a pass over images.
///
/// Each computes every n-th batch. All get all features in the order of the images, so the statistics do not
/// depend on the number of ranks.
package struct PassRanks {
  /// The images of a pass.
  package enum Job: Equatable, Sendable {
    /// The generator's images.
    case generated
    /// The real images of the metric with that index in the suite.
    case real(Int)
    /// The own images of the metric with that index in the suite: its paths, its samples, held-out images.
    case own(Int)

    /// Its number in the ranks' commands, 0 or more.
    package var number: Int {
      switch self {
      case .generated: 0
      case .real(let index): 1 + 2 * index
      case .own(let index): 2 + 2 * index
      }
    }

    /// The job of a number; `nil` below 0.
    package init?(number: Int) {
      guard number >= 0 else { return nil }
      let index = (number - 1) / 2
      self = number == 0 ? .generated : number % 2 == 1 ? .real(index) : .own(index)
    }
  }

  /// This process's rank.
  package let rank: Int
  /// The number of ranks.
  package let count: Int
  /// Runs a pass on all ranks.
  let together: (Job, () throws -> Void) throws -> Void
  /// Gathers the tensors of all ranks in order, each of the shape of this one's.
  let gathered: (Tensor) throws -> [Tensor]

  /// A single process.
  package static var alone: PassRanks {
    PassRanks(rank: 0, count: 1, together: { try $1() }, gathered: { [$0] })
  }

  /// One of several ranks.
  ///
  /// - Parameters:
  ///   - rank: This process's rank.
  ///   - count: The number of ranks.
  ///   - together: Sends the job to the other ranks, if this one leads, and calls its argument.
  ///   - gathered: Gathers the tensors of all ranks, in order.
  package init(
    rank: Int,
    count: Int,
    together: @escaping (Job, () throws -> Void) throws -> Void,
    gathered: @escaping (Tensor) throws -> [Tensor]
  ) {
    precondition((0..<count).contains(rank), "no rank \(rank) among \(count)")
    self.rank = rank
    self.count = count
    self.together = together
    self.gathered = gathered
  }

  /// The features of all batches, in order, from all ranks.
  ///
  /// - Parameters:
  ///   - batches: The images in batches.
  ///   - dimensions: Numbers of a feature, for each detector.
  ///   - dtype: Type in which features are exchanged.
  ///   - features: Gives a batch's features by each detector, [n, D].
  ///   - body: Called with each batch's features, in order.
  /// - Throws: The error of `features` or `body`, or that another rank is gone.
  func forEach(
    _ batches: Batches,
    dimensions: [Int],
    dtype: DType = .float32,
    features: (Range<Int>) throws -> [Tensor],
    _ body: ([Tensor]) throws -> Void
  ) throws {
    for first in stride(from: 0, to: batches.count, by: count) {
      let batches = (first..<min(first + count, batches.count)).map { batches[$0] }
      let own = rank < batches.count ? try features(batches[rank]) : nil
      // By detector, then by batch.
      let all = try dimensions.enumerated().map { index, dimension in
        try round(own?[index], sizes: batches.map(\.count), dimension: dimension, dtype)
      }
      for index in 0..<batches.count { try body(all.map { $0[index] }) }
    }
  }

  /// The features of a round of batches, one per rank, in order.
  ///
  /// - Parameters:
  ///   - own: This rank's, [n, D]; `nil` if no batch is left for it.
  ///   - sizes: Images of each batch of the round.
  ///   - dimension: D.
  ///   - dtype: Type in which they are exchanged.
  /// - Returns: A tensor for each batch.
  /// - Throws: That another rank is gone.
  private func round(
    _ own: Tensor?,
    sizes: [Int],
    dimension: Int,
    _ dtype: DType
  ) throws -> [Tensor] {
    if count == 1 { return own.map { [$0] } ?? [] }
    let most = sizes.max() ?? 0
    let none = Tensor.zeros([most - (own?.size(0) ?? 0), dimension], dtype: dtype)
    let rows = own.map { Tensor.concatenated([$0.to(.cpu).to(dtype), none]) } ?? none
    return zip(try gathered(rows), sizes).map { $0.sliced(0, 0..<$1) }
  }
}
