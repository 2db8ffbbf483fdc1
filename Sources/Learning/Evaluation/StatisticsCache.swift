package import Datasets
import Files
import Foundation
import Synchronization
import Torch

/// A cache of real images' statistics on disk: the images are read once for each data set and detector.
///
/// A file's name is the hash of everything its numbers depend on: the images (names, sizes and checksums in
/// the zips' directories), their number, whether they are mirrored, the detector's weights and its resizing.
/// A file that is damaged or of another key is a miss. A read-only folder only costs time, which is told once.
package final class StatisticsCache: Sendable {
  /// Everything that the statistics depend on.
  package struct Key: Sendable {
    /// In words, a line each.
    package let text: String
    fileprivate let name: String
    fileprivate let count: Int
    fileprivate let dimension: Int

    /// The key of the first `count` indices of a set, seen by a detector.
    package init(_ set: TrainingSet, count: Int, detector: any FeatureDetector) {
      let images = set.datasets.map { "images \($0.imagesSHA256)" }
      let lines =
        ["nifty feature statistics 1"] + images + [
          "subset \(set.options.subset.map { "\($0) seed \(set.options.seed)" } ?? "none")",
          "mirror \(set.options.mirror)", "count \(count)", "detector \(detector.name)",
          "weights \(detector.sha256)", "resize \(detector.resize)",
        ]
      text = lines.joined(separator: "\n")
      var hash = SHA256()
      hash.update(Array(text.utf8))
      name = "\(detector.name)-\(hash.digest().prefix(32)).safetensors"
      self.count = count
      dimension = detector.dimension
    }
  }

  /// The cache folder.
  package let folder: String

  private let complain: @Sendable (String) -> Void
  private let hasComplained = Atomic<Bool>(false)

  /// A cache in a folder, which is made on the first store.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - complain: Told the first time that statistics cannot be stored.
  package init(folder: String, complain: @escaping @Sendable (String) -> Void = { _ in }) {
    (self.folder, self.complain) = (folder, complain)
  }

  /// The file of a key.
  package func path(_ key: Key) -> String { folder + "/" + key.name }

  /// The cached statistics of exactly this key; `nil` for a miss.
  package func statistics(_ key: Key, withVectors: Bool) -> FeatureStatistics? {
    guard let file = try? SafeTensors(path: path(key)), file.metadata["key"] == key.text,
      file.entries["sum"]?.shape == [key.dimension],
      !withVectors || file.entries["features"] != nil,
      let found = try? FeatureStatistics(file), found.count == key.count
    else { return nil }
    return found
  }

  /// Stores statistics, atomically; returns whether it succeeded.
  @discardableResult
  package func store(_ statistics: FeatureStatistics, _ key: Key) -> Bool {
    do {
      try makeFolder(folder)
      try statistics.save(to: path(key), metadata: ["key": key.text])
      return true
    } catch {
      if !hasComplained.exchange(true, ordering: .relaxed) {
        complain(
          "the real images' features are not kept for the next time: \(error); NIFTY_CACHE names another folder"
        )
      }
      return false
    }
  }
}
