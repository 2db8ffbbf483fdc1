package import Archives
import Files
package import Images

extension Packer {
  /// The treatment of the images, and the stored parts.
  package struct Options: Sendable {
    /// The crop to a square.
    package enum Crop: String, Sendable, CaseIterable {
      /// The central square of the short side.
      case center = "center-crop"
      /// A central strip of the full width between black bars; see `RGBImage.centerCroppedWide`.
      case centerWide = "center-crop-wide"
      /// The whole image, stretched.
      case none
    }

    /// The format of stored images.
    package enum Encoding: Sendable, Equatable {
      /// Lossless; the level is the effort of compression, 0 (none) and up.
      case png(level: Int)
      /// Lossless WebP: the smallest files with the exact pixels.
      case webp
      /// Lossy, smaller; the quality is 1 to 100.
      case jpeg(quality: Int)
    }

    /// Width of the images in pixels; `nil` keeps it.
    package var width: Int?
    /// Height of the images in pixels; `nil` keeps it.
    ///
    /// It differs from `width` only with `.centerWide`, as the height between the black bars.
    package var height: Int?
    /// The crop to a square.
    package var crop = Crop.none
    /// Whether an image's EXIF orientation turns it upright.
    package var appliesOrientation = false
    /// The filter that resizes.
    package var filter = ResampleFilter.lanczos
    /// The least short side in pixels; smaller images are skipped.
    package var minimumSide = 0
    /// Whether grey images are skipped.
    package var leavesOutGrey = false
    /// The limit on items of the source; `nil` for all.
    package var maximumCount: Int?
    /// The type of stored features.
    package var featureElement = NpyElement.float16
    /// Whether to add features of the mirrored images.
    package var addsFlippedFeatures = false
    /// Whether to add `dataset.json`, which the original LAFITE reads.
    package var writesLafiteJSON = false
    /// The format of stored images.
    package var encoding = Encoding.png(level: 2)
    /// Number of threads that prepare images.
    package var threads = 2
    /// The maximum number of items per call of the feature extractor.
    package var batchSize = 64
    /// The interval of checkpoints: a killed run repeats at most so much.
    package var checkpointInterval: Duration = .seconds(5)

    /// Images of `side`×`side` pixels; `nil` keeps their size.
    package init(side: Int? = nil) {
      precondition(side.map { $0 >= 1 } ?? true, "side \(side ?? 0)")
      (width, height) = (side, side)
    }

    /// The settings that change a dataset's bytes, in words.
    fileprivate var deciding: String {
      "\(width ?? 0)×\(height ?? 0) \(crop) \(filter) \(minimumSide) \(leavesOutGrey) "
        + "\(maximumCount ?? -1) \(featureElement) \(addsFlippedFeatures) \(writesLafiteJSON) "
        + "\(encoding) \(batchSize)" + (appliesOrientation ? " upright" : "")
    }
  }

  /// The fingerprint of a source, a model and all settings that change the bytes of a dataset.
  ///
  /// The source's files are inspected, not read: a million of them take seconds.
  static func fingerprint(
    _ options: Options,
    _ source: some ImageTextSource,
    _ extractor: (any FeatureExtractor)?
  ) -> String {
    var hash = SHA256()
    let model = extractor.map { "\($0.name) \($0.sha256) \($0.settings)" } ?? "no features"
    let head = [options.deciding, model, source.summary, source.identity, "\(source.count)"]
    hash.update(Array((head.joined(separator: "\n") + "\n").utf8))
    for index in 0..<source.count {
      hash.update(Array("\(source.name(at: index))\t\(source.stamp(at: index))\n".utf8))
    }
    return hash.digest()
  }
}
