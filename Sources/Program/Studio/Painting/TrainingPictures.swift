import Datasets
import Dispatch
import JSON
import Sampling

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
    var best: [Match] = []
    for (number, set) in sets.enumerated() {
      for index in 0..<set.count {
        let own = set.imageFeature(at: index)
        let (dot, square) = zip(own, feature).reduce(into: (Float(0), Float(0))) {
          $0.0 += $1.0 * $1.1
          $0.1 += $1.0 * $1.0
        }
        guard square > 0 else { continue }
        let similarity = dot / square.squareRoot()
        if best.count == count, let last = best.last, similarity <= last.similarity { continue }
        let rank = best.firstIndex { $0.similarity < similarity } ?? best.count
        best.insert(.init(set: number, index: index, similarity: similarity), at: rank)
        if best.count > count { best.removeLast() }
      }
    }
    return best
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
