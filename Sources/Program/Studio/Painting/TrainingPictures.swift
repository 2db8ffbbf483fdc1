import Datasets
import Dispatch
import JSON
import Sampling

/// The packed sets that `--data` names: what a picture is compared with.
package final class TrainingPictures: Sendable {
  /// One picture of a set that is like another.
  struct Match: Equatable {
    /// The set, by its number.
    let set: Int
    /// The picture in it.
    let index: Int
    /// Cosine of the angle between the CLIP features, −1 to 1.
    let similarity: Float
  }

  /// The sets.
  let sets: [PackedDataset]
  /// Number of pictures in all of them.
  var count: Int { sets.reduce(0) { $0 + $1.count } }

  /// Opens the sets.
  ///
  /// - Parameters:
  ///   - paths: Zips that `nifty pack` made.
  ///   - clip: SHA-256 of the CLIP that looks at painted pictures.
  ///   - dimension: Numbers of its features.
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

  /// The pictures nearest to a feature, the most alike first.
  ///
  /// - Parameters:
  ///   - feature: [F], unit length.
  ///   - count: How many.
  /// - Returns: At most so many.
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

  /// The same on a thread of its own: the server's threads have requests to answer.
  func matches(of feature: [Float], count: Int) async -> [Match] {
    await withCheckedContinuation { continuation in
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(returning: self.nearest(to: feature, count: count))
      }
    }
  }
}
