package import Archives

extension PackedDatasetWriter {
  /// The properties of the whole dataset.
  package struct Options: Sendable {
    /// Side of the square images in pixels; `nil` for that of the first image.
    package var resolution: Int?
    /// The CLIP model that makes the features; `nil` for a set without features.
    package var featureModel: PackManifest.FeatureModel?
    /// The type of stored features: `.float16` or `.float32`.
    package var featureElement: NpyElement
    /// The filter that resized the images.
    package var resizeFilter: String
    /// The crop to a square.
    package var crop: String
    /// The origin of the images, in words.
    package var source: String
    /// Whether to add `dataset.json`, which the original LAFITE reads; large.
    package var writesLafiteJSON: Bool
    /// Counts of skipped items by cause, of the sets that are merged.
    package var droppedBefore: [String: Int] = [:]
    /// The number of images from which on the zip gets an index, with which it opens at once.
    package var indexedFrom = 65_536

    /// Describes a dataset.
    package init(
      resolution: Int?,
      featureModel: PackManifest.FeatureModel?,
      featureElement: NpyElement = .float16,
      resizeFilter: String = "lanczos",
      crop: String = "center-crop",
      source: String = "",
      writesLafiteJSON: Bool = false
    ) {
      precondition(featureElement != .int64, "features are floating-point numbers")
      self.resolution = resolution
      self.featureModel = featureModel
      self.featureElement = featureElement
      self.resizeFilter = resizeFilter
      self.crop = crop
      self.source = source
      self.writesLafiteJSON = writesLafiteJSON
    }
  }
}
