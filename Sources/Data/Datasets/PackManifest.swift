package import Archives
import Foundation

/// The manifest of a packed dataset, its entry `nifty.json`.
package struct PackManifest: Codable, Sendable, Equatable {
  /// The CLIP model that made the features.
  package struct FeatureModel: Codable, Sendable, Equatable {
    /// Its name, as `ViT-B/32`.
    package var name: String
    /// The SHA-256 of its weights file, in hexadecimal.
    package var sha256: String

    /// Names a model.
    package init(name: String, sha256: String) {
      self.name = name
      self.sha256 = sha256
    }
  }

  /// The format version that this program writes, and the highest that it reads.
  package static let currentVersion = 1
  /// The name of the entry.
  package static let entryName = "nifty.json"

  /// Version of the format.
  package var formatVersion: Int
  /// Side of the square images in pixels.
  package var resolution: Int
  /// Number of images.
  package var imageCount: Int
  /// Number of captions, over all images.
  package var captionCount: Int
  /// Numbers per CLIP feature; 0 for a set without features.
  package var featureDimension: Int
  /// The type of stored features.
  package var featureElement: NpyElement
  /// The CLIP model that made the features; `nil` for a set without features.
  package var featureModel: FeatureModel?
  /// The filter that resized the images: `lanczos` or `box`.
  package var resizeFilter: String
  /// The crop to a square: `center-crop`, `center-crop-wide` or `none`.
  package var crop: String
  /// The origin of the images, in words.
  package var source: String
  /// Skipped images, counted by cause.
  package var dropped: [String: Int]

  /// Reads a manifest.
  ///
  /// - Throws: `DatasetError` if it is no JSON of this form or of a later version.
  static func decode(
    _ bytes: UnsafeRawBufferPointer,
    path: String
  ) throws(DatasetError) -> PackManifest {
    let manifest: PackManifest
    do {
      manifest = try JSONDecoder().decode(PackManifest.self, from: Data(bytes))
    } catch {
      throw .damaged(path: path, entry: entryName, reason: "it is not the JSON that nifty writes")
    }
    guard (1...currentVersion).contains(manifest.formatVersion) else {
      throw .unsupported(
        path: path,
        entry: entryName,
        reason: "format version \(manifest.formatVersion), this nifty reads \(currentVersion)"
      )
    }
    // Merging adds counts up: they must not overflow.
    let counts = [manifest.captionCount] + manifest.dropped.values
    guard counts.allSatisfy({ (0...1 << 40).contains($0) }) else {
      throw .damaged(path: path, entry: entryName, reason: "it states counts that cannot be")
    }
    return manifest
  }

  /// The manifest as JSON with sorted keys: equal manifests give equal bytes.
  var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a manifest of strings and integers always encodes")
    }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}
