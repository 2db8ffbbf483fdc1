import Archives
import Datasets
import Dispatch
import JSON
import Sampling
import Torch

/// The packed sets of `--data`, for nearest-neighbour search.
package final class TrainingPictures: Sendable {
  /// A neighbour: one picture of a set.
  struct Match: Equatable {
    /// The index of the set.
    let set: Int
    /// The index of the picture in the set.
    let index: Int
    /// The cosine similarity of the CLIP features, −1 to 1.
    let similarity: Float
  }

  /// The sets.
  let sets: [PackedDataset]
  /// The number of pictures in all sets.
  var count: Int { sets.reduce(0) { $0 + $1.count } }

  /// Opens the sets.
  ///
  /// - Parameters:
  ///   - paths: Zips of `nifty pack`.
  ///   - clip: SHA-256 of the CLIP that encodes painted pictures.
  ///   - dimension: The dimension of its features.
  /// - Throws: `DatasetError` for a set that cannot be read; `StudioError` for features of another CLIP.
  package init(_ paths: [String], clip: String, dimension: Int) throws {
    sets = try paths.map { path in
      let set = try PackedDataset(path)
      if let maker = set.manifest?.featureModel, maker.sha256 != clip {
        throw StudioError(
          "the features in \(path) were made by another CLIP (\(maker.name)) than the network's; pack "
            + "again with --clip, or leave --data out"
        )
      }
      guard set.featureDimension == dimension else {
        throw StudioError(
          "the features in \(path) have \(set.featureDimension) numbers, the CLIP's have \(dimension)"
        )
      }
      return set
    }
  }

  /// The nearest neighbours of a feature, by falling similarity.
  ///
  /// - Parameters:
  ///   - feature: [F], unit length.
  ///   - count: The number of neighbours.
  /// - Returns: At most `count` neighbours.
  func nearest(to feature: [Float], count: Int) -> [Match] {
    let wanted = Tensor(feature, shape: [feature.count, 1])
    var best: [Match] = []
    for (number, set) in sets.enumerated() {
      set.imageFeatures.forEachRows(Self.rowsAtOnce) { rows, bytes in
        let similarities = Self.similarities(of: bytes, set.imageFeatures, to: wanted)
        for (index, similarity) in zip(rows, similarities) {
          if best.count == count, let last = best.last, similarity <= last.similarity { continue }
          // A feature of no length is like nothing.
          guard similarity.isFinite else { continue }
          let rank = best.firstIndex { $0.similarity < similarity } ?? best.count
          best.insert(.init(set: number, index: index, similarity: similarity), at: rank)
          if best.count > count { best.removeLast() }
        }
      }
    }
    return best
  }

  /// So many features are compared at once: 4 MB of 512 numbers, which stay in the cache.
  private static let rowsAtOnce = 2048

  /// Cosines of the angles between a feature and those that lie in a file.
  private static func similarities(
    of bytes: UnsafeRawBufferPointer,
    _ features: NpyArray,
    to wanted: Tensor
  ) -> [Float] {
    let dtype: DType =
      switch features.element {
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      case .int64: .int64
      }
    let rows = bytes.count / (features.columns * features.element.size)
    // [N, F]
    let part = Tensor(copying: bytes, shape: [rows, features.columns], dtype: dtype).to(.float32)
    return (part.matmul(wanted) / part.norm(1, keeping: true)).floats
  }

  /// The same on a thread of its own, so that the server's threads do not block.
  func matches(of feature: [Float], count: Int) async -> [Match] {
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(returning: self.nearest(to: feature, count: count))
      }
    }
  }
}
