import Foundation

/// A zip of images, each with its captions in a text entry of the same stem: `7.png`, `7.txt`.
///
/// Entries may be compressed. Labels come from its `dataset.json`, captions of a set that nifty
/// packed from its `captions.jsonl`. Order: by name, byte by byte, as the original has it.
struct ImageTextZip: ImageTextSource {
  private let zip: ZipArchive
  /// Entries of the images.
  private let images: [Int32]
  private let labels: [String: ImageLabel]
  private let packedCaptions: CaptionLines?

  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20
  /// A compressed list of labels or captions is decompressed into memory.
  private static let maximumDocumentSize = 1 << 30

  /// Opens a zip.
  ///
  /// - Throws: `DatasetError` when it is missing, no zip, without images, or its labels or captions
  ///   cannot be read.
  init(_ path: String) throws(DatasetError) {
    let zip = try ZipArchive(path)
    self.zip = zip
    let images = (0..<zip.count).compactMap { index in
      let name = zip.name(at: index)
      return !FileNames.isHidden(name) && FileNames.isImage(name) ? Int32(index) : nil
    }
    guard !images.isEmpty else { throw .noImages(path: path) }
    self.images = images
    labels = try Self.labels(zip)
    guard let entry = zip.index(of: PackedDataset.captionsName) else {
      packedCaptions = nil
      return
    }
    let lines = CaptionLines(try Self.document(entry, of: zip))
    guard lines.count == images.count else {
      throw .damaged(
        path: path,
        entry: PackedDataset.captionsName,
        reason: "\(lines.count) lines for \(images.count) images"
      )
    }
    packedCaptions = lines
  }

  var count: Int { images.count }

  var summary: String { "zip " + URL(filePath: zip.path).lastPathComponent }

  var identity: String { FileStamp.of(zip.path) }

  func name(at index: Int) -> String { zip.name(at: Int(images[index])) }

  func stamp(at index: Int) -> String {
    "\(zip.size(at: Int(images[index]))) \(zip.checksum(at: Int(images[index])))"
  }

  func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let name = name(at: index)
    let bytes = try zip.contents(at: Int(images[index]), limit: Self.maximumImageSize)
    let (picture, label) = (ImageTextItem.Picture.encoded(bytes), labels[name])
    if let packedCaptions {
      guard let captions = packedCaptions[index] else {
        throw .damaged(
          path: zip.path,
          entry: PackedDataset.captionsName,
          reason: "line \(index + 1) is no list of strings"
        )
      }
      return ImageTextItem(picture: picture, captions: captions, label: label)
    }
    let text = try zip.index(of: FileNames.replacingSuffix(of: name, by: "txt"))
      .map { (entry) throws(DatasetError) in
        try zip.contents(at: entry, limit: Self.maximumTextSize)
      }
    return ImageTextItem(picture: picture, text: text, label: label)
  }

  private static func labels(_ zip: ZipArchive) throws(DatasetError) -> [String: ImageLabel] {
    guard let entry = zip.index(of: "dataset.json") else { return [:] }
    let document = try document(entry, of: zip)
    do throws(JSONScanner.Damage) {
      return try document.withBytes { (bytes) throws(JSONScanner.Damage) in
        try LabelReader.labels(in: bytes)
      }
    } catch {
      throw .damaged(path: zip.path, entry: "dataset.json", reason: error.reason)
    }
  }

  /// An entry in place, or decompressed into memory.
  private static func document(
    _ entry: Int,
    of zip: ZipArchive
  ) throws(DatasetError) -> MappedBytes {
    if zip.isStored(entry) { return try zip.bytes(at: entry) }
    return MappedBytes(copying: try zip.contents(at: entry, limit: maximumDocumentSize))
  }
}
