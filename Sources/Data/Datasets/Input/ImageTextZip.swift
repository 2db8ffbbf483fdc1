import Archives
import Files
import Foundation

/// A zip of images, each with its captions in a text entry of the same stem: `7.png`, `7.txt`.
///
/// Entries may be compressed. Labels come from its `dataset.json`, captions of a set that nifty
/// packed from its `captions.jsonl`. Order: by name, byte by byte, as the original has it.
struct ImageTextZip: ImageTextSource {
  let remarks: [PackReport.Dropped]
  private let zip: ZipArchive
  /// Entries of the images and of their texts.
  private let samples: [SampleListing<Int32>.Sample]
  private let labels: LabelList
  private let packedCaptions: CaptionLines?
  private let captionKey: String?

  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20
  /// The limit on a compressed list of labels or captions, which is decompressed into memory.
  private static let maximumDocumentSize = 1 << 30

  /// Opens a zip.
  ///
  /// - Parameters:
  ///   - path: The zip.
  ///   - captionKey: The key of the captions in the JSON beside an image; `nil` for text entries.
  /// - Throws: `DatasetError` if it is missing, no zip, without images, or its labels or captions cannot be
  ///   read.
  init(_ path: String, captionKey: String? = nil) throws(DatasetError) {
    self.captionKey = captionKey
    let zip = try archives { () throws(ArchiveError) in try ZipArchive(path, allowsSurplus: true) }
    self.zip = zip
    let files = (0..<zip.count).lazy.filter { zip.nameBytes(at: $0).last != UInt8(ascii: "/") }
    var brokenLinks: [PackReport.Dropped] = []
    let listing = SampleListing(
      files.compactMap { index in
        let name = FileName(zip.nameBytes(at: index))
        guard zip.isLink(index) else { return (name, Int32(index)) }
        if let target = Self.target(of: index, in: zip) { return (name, Int32(target)) }
        if name.isImage, !name.isHidden {
          let reason = "a link to a file that is not in the archive"
          brokenLinks.append(.init(name: name.text, cause: .unreadable, reason: reason))
        }
        return nil
      },
      captionSuffix: captionKey == nil ? "txt" : "json",
      isOurs: zip.index(of: PackedDataset.captionsName) != nil
        || zip.index(of: PackManifest.entryName) != nil
    )
    let images = listing.samples
    guard !images.isEmpty else { throw .noImages(path: path, holds: listing.rest) }
    samples = images
    labels = try Self.labels(zip)
    remarks =
      Self.surplus(of: zip) + brokenLinks + listing.remarks
      + labels.remarks(beside: images.map(\.name))
    guard let entry = zip.index(of: PackedDataset.captionsName) else {
      packedCaptions = nil
      guard let captionKey else { return }
      let documents = samples.lazy.compactMap(\.text).prefix(100).compactMap {
        try? zip.contents(at: Int($0), limit: Self.maximumTextSize)
      }
      try CaptionJSON.expect(captionKey, in: documents, of: path)
      return
    }
    guard captionKey == nil else {
      throw .option(
        "--caption-key is for a .json beside each image; \(path) has its captions in one file"
      )
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

  var count: Int { samples.count }

  var summary: String { "zip " + URL(filePath: zip.path).lastPathComponent }

  var identity: String {
    FileStamp.of(zip.path) + (captionKey.map { " captions of \($0)" } ?? "")
  }

  func name(at index: Int) -> String { samples[index].name.text }

  func stamp(at index: Int) -> String {
    let entry = Int(samples[index].image)
    return "\(zip.size(at: entry)) \(zip.checksum(at: entry))"
  }

  func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let sample = samples[index]
    let bytes = try archives { () throws(ArchiveError) in
      try zip.contents(at: Int(sample.image), limit: Self.maximumImageSize)
    }
    let (picture, label) = (ImageTextItem.Picture.encoded(bytes), labels[sample.name])
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
    let text = try archives { () throws(ArchiveError) in
      try sample.text.map { (entry) throws(ArchiveError) in
        try zip.contents(at: Int(entry), limit: Self.maximumTextSize)
      }
    }
    do throws(JSONScanner.Damage) {
      return try ImageTextItem(picture: picture, file: text, key: captionKey, label: label)
    } catch {
      let entry = sample.text.map { FileName(zip.nameBytes(at: Int($0))).text } ?? ""
      throw .damaged(path: zip.path, entry: entry, reason: error.reason)
    }
  }

  /// The remark on bytes of the file that are no part of the archive.
  private static func surplus(of zip: ZipArchive) -> [PackReport.Dropped] {
    if zip.surplus == 0 { return [] }
    let file = zip.path.split(separator: "/").last.map(String.init) ?? zip.path
    let reason = "\(zip.surplus) bytes before or behind the archive are passed over"
    return [.init(name: file, cause: .missingEnd, reason: reason)]
  }

  /// The entry that a symbolic link leads to; `nil` where there is none.
  private static func target(of link: Int, in zip: ZipArchive) -> Int? {
    var index = link
    for _ in 0..<16 {
      guard zip.isLink(index) else { return index }
      guard let path = try? zip.contents(at: index, limit: 4096) else { return nil }
      let name = FileName(zip.nameBytes(at: index)).resolving(link: path)
      guard let next = name.bytes.withUnsafeBytes({ zip.index(ofName: $0) }) else { return nil }
      index = next
    }
    return nil
  }

  private static func labels(_ zip: ZipArchive) throws(DatasetError) -> LabelList {
    let names = ["dataset.json", "./dataset.json"]
    guard let entry = names.lazy.compactMap({ zip.index(of: $0) }).first else { return LabelList() }
    let document = try document(entry, of: zip)
    return try document.withBytes { (bytes) throws(DatasetError) in
      try LabelList(bytes, of: "\(zip.path)/dataset.json")
    }
  }

  /// An entry's bytes, mapped, or decompressed into memory.
  private static func document(
    _ entry: Int,
    of zip: ZipArchive
  ) throws(DatasetError) -> MappedBytes {
    try archives { () throws(ArchiveError) in
      if zip.isStored(entry) { return try zip.bytes(at: entry) }
      return MappedBytes(copying: try zip.contents(at: entry, limit: maximumDocumentSize))
    }
  }
}
