/// One image of a packed dataset with its features, captions and label.
package struct PackedRecord: Sendable {
  /// The image file: a PNG, JPEG or WebP of the dataset's resolution.
  package var image: [UInt8]
  /// Its CLIP feature [F], unnormalised; `nil` in a set without features.
  package var imageFeature: [Float]?
  /// The CLIP feature [F] of the mirrored image; `nil` in a set without such features.
  package var flippedFeature: [Float]?
  /// Its captions; none in a language-free set.
  package var captions: [String]
  /// The CLIP feature [F] of each caption, unnormalised; none in a set without features.
  package var textFeatures: [[Float]]
  /// Its label.
  package var label: ImageLabel?

  /// Joins an image with its features, captions and label.
  package init(
    image: [UInt8],
    imageFeature: [Float]? = nil,
    flippedFeature: [Float]? = nil,
    captions: [String] = [],
    textFeatures: [[Float]] = [],
    label: ImageLabel? = nil
  ) {
    self.image = image
    self.imageFeature = imageFeature
    self.flippedFeature = flippedFeature
    self.captions = captions
    self.textFeatures = textFeatures
    self.label = label
  }
}
