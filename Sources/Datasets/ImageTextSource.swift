/// An image file and its captions, as a source holds them.
package struct ImageTextItem: Sendable, Equatable {
  /// The image file's bytes, in any format that can be decoded.
  package var image: [UInt8]
  /// Its captions, in order; none where there is no text.
  package var captions: [String]

  /// Joins an image with its captions.
  package init(image: [UInt8], captions: [String]) {
    self.image = image
    self.captions = captions
  }
}

/// Images with captions in a fixed order: what a packer reads.
///
/// Items are read from several threads at once.
package protocol ImageTextSource: Sendable {
  /// Number of items.
  var count: Int { get }
  /// Where the items come from, in words; stored in the dataset's manifest.
  var summary: String { get }
  /// The name of an item, for reports.
  func name(at index: Int) -> String
  /// Reads an item.
  func item(at index: Int) throws(DatasetError) -> ImageTextItem
}
