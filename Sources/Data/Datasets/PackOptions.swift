package import Archives
import Files
package import Images

extension Packer {
  /// The treatment of the images, and the stored parts.
  package struct Options: Sendable {
    /// How images become square.
    package enum Crop: String, Sendable, CaseIterable {
      /// The central square of the short side.
      case center = "center-crop"
      /// A central strip of the full width between black bars; see `RGBImage.centerCroppedWide`.
      case centerWide = "center-crop-wide"
      /// The whole image, stretched.
      case none
    }

    /// How images are stored.
    package enum Encoding: Sendable, Equatable {
      /// Without loss; the level is the effort of compression, 0 (none) and up.
      case png(level: Int)
      /// Without loss, as WebP: the smallest files that hold the very pixels.
      case webp
      /// With loss, smaller; the quality is 1 to 100.
      case jpeg(quality: Int)
    }

    /// Width of the images in pixels; `nil` leaves it as it is.
    package var width: Int?
    /// Height of the images in pixels; `nil` leaves it as it is.
    ///
    /// Unequal to `width` only with
    /// `.centerWide`, where it is the height between the black bars.
    package var height: Int?
    /// How images become square.
    package var crop = Crop.none
    /// Whether an image's EXIF orientation turns it upright.
    package var appliesOrientation = false
    /// The filter that resizes.
    package var filter = ResampleFilter.lanczos
    /// Leave out images whose short side has fewer pixels; 0 keeps all.
    package var minimumSide = 0
    /// Leave out images without any colour.
    package var leavesOutGrey = false
    /// Read only this many items of the source; `nil` reads all.
    package var maximumCount: Int?
    /// How features are stored.
    package var featureElement = NpyElement.float16
    /// Whether to add features of the mirrored images.
    package var addsFlippedFeatures = false
    /// Whether to add `dataset.json`, which the original LAFITE reads.
    package var writesLafiteJSON = false
    /// How images are stored.
    package var encoding = Encoding.png(level: 2)
    /// Number of threads that prepare images.
    package var threads = 2
    /// Items per call of the feature extractor, at most.
    package var batchSize = 64
    /// How long a killed run may have to repeat.
    package var checkpointInterval: Duration = .seconds(5)

    /// Images of `side`×`side` pixels; `nil` leaves them as they are.
    package init(side: Int? = nil) {
      precondition(side.map { $0 >= 1 } ?? true, "side \(side ?? 0)")
      (width, height) = (side, side)
    }

    /// The settings that decide about a dataset's bytes, in words.
    fileprivate var deciding: String {
      "\(width ?? 0)×\(height ?? 0) \(crop) \(filter) \(minimumSide) \(leavesOutGrey) "
        + "\(maximumCount ?? -1) \(featureElement) \(addsFlippedFeatures) \(writesLafiteJSON) "
        + "\(encoding) \(batchSize)" + (appliesOrientation ? " upright" : "")
    }
  }

  /// Stands for a source, a model and all settings that decide about the bytes of a dataset.
  ///
  /// The source's files are looked at, not read: a million of them take seconds.
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
