package import Images

/// An image with its captions, as in its source.
package struct ImageTextItem: Sendable, Equatable {
  /// An image, encoded or as pixels.
  package enum Picture: Sendable, Equatable {
    /// A file's bytes, in any format that can be decoded.
    case encoded([UInt8])
    /// Pixels.
    case pixels(RGBImage)
  }

  /// The image.
  package var picture: Picture
  /// Its captions, in order.
  package var captions: [String]
  /// Its label, if the source has labels.
  package var label: ImageLabel?
  /// Whether the captions were not UTF-8 and were repaired.
  package var hasRepairedCaptions = false

  /// Joins an image with its captions.
  package init(picture: Picture, captions: [String] = [], label: ImageLabel? = nil) {
    self.picture = picture
    self.captions = captions
    self.label = label
  }

  /// Joins an image with the text file of its captions, if there is one.
  init(picture: Picture, text: [UInt8]?, label: ImageLabel? = nil) {
    self.init(picture: picture, captions: text.map(CaptionText.lines) ?? [], label: label)
    hasRepairedCaptions = text.map { !CaptionText.isValid($0) } ?? false
  }

  /// Joins an image with the file of its captions, if there is one.
  ///
  /// - Parameters:
  ///   - picture: The image.
  ///   - file: Lines, or JSON if there is a key.
  ///   - key: The key of the captions in the JSON.
  ///   - label: The label.
  /// - Throws: `JSONScanner.Damage` if the JSON is invalid, or its captions are no texts.
  init(
    picture: Picture,
    file: [UInt8]?,
    key: String?,
    label: ImageLabel? = nil
  ) throws(JSONScanner.Damage) {
    guard let key else {
      self.init(picture: picture, text: file, label: label)
      return
    }
    var captions = CaptionJSON.Captions()
    if let file { captions = try CaptionJSON.captions(in: file, under: key) }
    self.init(picture: picture, captions: captions.texts, label: label)
    hasRepairedCaptions = captions.areRepaired
  }

  /// What the EXIF data of its file says about the orientation.
  var orientation: Orientation.Reading {
    guard case .encoded(let bytes) = picture else { return .unstated }
    return bytes.withUnsafeBytes { Orientation.reading(exifOf: $0) }
  }

  /// The image's pixels.
  ///
  /// - Parameter appliesOrientation: Whether a file's EXIF orientation turns the picture upright.
  /// - Returns: The picture.
  /// - Throws: `ImageError` for a file that cannot be decoded.
  package func image(appliesOrientation: Bool = false) throws(ImageError) -> RGBImage {
    switch picture {
    case .encoded(let bytes):
      try RGBImage(decoding: bytes, appliesOrientation: appliesOrientation)
    case .pixels(let image): image
    }
  }
}

/// A source of images with captions in a fixed order, for a packer.
///
/// Items are read from several threads at once.
package protocol ImageTextSource: Sendable {
  /// Number of items.
  var count: Int { get }
  /// The origin of the items, in words; stored in the dataset's manifest.
  var summary: String { get }
  /// The identity of the source and its version.
  var identity: String { get }
  /// Notes of the source on files that are no item, for the list of skipped items.
  var remarks: [PackReport.Dropped] { get }
  /// The name of an item, for reports.
  func name(at index: Int) -> String
  /// The identity of an item's version, without reading it; empty if the source's own identity covers it.
  func stamp(at index: Int) -> String
  /// Reads an item.
  func item(at index: Int) throws(DatasetError) -> ImageTextItem
}

extension ImageTextSource {
  package var remarks: [PackReport.Dropped] { [] }

  package func stamp(at index: Int) -> String { "" }
}
