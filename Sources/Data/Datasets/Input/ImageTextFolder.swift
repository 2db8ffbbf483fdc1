import Archives
import Files
import Foundation

/// A folder of images, each with its captions in a text file of the same stem: `7.png`, `7.txt`.
///
/// Every line of the text file is a caption; an image without the file has none. With a caption key they
/// come from `7.json` instead. Sub-folders are read, hidden files are not. Labels come from the folder's
/// `dataset.json`. Order: by path, byte by byte, as the original has it, so that `10.png` comes before
/// `9.png`. Images that share a stem get the same captions.
package struct ImageTextFolder: ImageTextSource {
  /// The folder's path.
  package let path: String
  package let remarks: [PackReport.Dropped]

  private let samples: [SampleListing<FileName>.Sample]
  private let captionKey: String?
  private let labels: LabelList

  /// Limits on files in bytes: larger ones are no photographs and no captions, and are not read.
  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20
  private static let maximumLabelsSize = 1 << 36

  /// Lists a folder.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - captionKey: The key of the captions in the JSON beside an image; `nil` for text files.
  /// - Throws: `DatasetError` if it is missing, or has no image, unreadable labels, or no captions under the
  ///   key.
  package init(_ path: String, captionKey: String? = nil) throws(DatasetError) {
    self.path = path
    self.captionKey = captionKey
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    guard isFolder.boolValue else {
      throw .option("\(path) is no folder; give a folder of images with captions")
    }
    let (files, unread) = FolderScan.files(in: path)
    let listing = SampleListing(
      files.map { ($0, $0) },
      captionSuffix: captionKey == nil ? "txt" : "json"
    )
    guard !listing.samples.isEmpty else {
      if let first = unread.first {
        throw .file(FileError("open folder", path: "\(path)/\(first.name)", reason: first.reason))
      }
      throw .noImages(path: path, holds: listing.rest)
    }
    samples = listing.samples
    labels = try Self.readLabels(path + "/dataset.json")
    remarks = unread + listing.remarks + labels.remarks(beside: samples.map(\.name))
    guard let captionKey else { return }
    let documents = samples.lazy.compactMap(\.text).prefix(100).compactMap {
      try? FileBytes.read(path, system: FolderScan.path($0, in: path), limit: Self.maximumTextSize)
    }
    try CaptionJSON.expect(captionKey, in: documents, of: path)
  }

  package var count: Int { samples.count }

  package var summary: String { "folder " + URL(filePath: path).lastPathComponent }

  package var identity: String {
    FileStamp.location(path) + " " + FileStamp.state(path + "/dataset.json")
      + (captionKey.map { " captions of \($0)" } ?? "")
  }

  package func name(at index: Int) -> String { samples[index].name.text }

  package func stamp(at index: Int) -> String {
    let sample = samples[index]
    let image = FileStamp.state(FolderScan.path(sample.image, in: path))
    return image + " " + (sample.text.map { FileStamp.state(FolderScan.path($0, in: path)) } ?? "-")
  }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let sample = samples[index]
    guard let bytes = try read(sample.image, limit: Self.maximumImageSize) else {
      throw .missing(path: "\(path)/\(sample.name.text)")
    }
    let captions = try sample.text.flatMap { (name) throws(DatasetError) in
      try read(name, limit: Self.maximumTextSize)
    }
    do throws(JSONScanner.Damage) {
      return try ImageTextItem(
        picture: .encoded(bytes),
        file: captions,
        key: captionKey,
        label: labels[sample.name]
      )
    } catch {
      throw .option(
        "\(path)/\(sample.text?.text ?? ""): no captions under the key: \(error.reason)"
      )
    }
  }

  private func read(_ name: FileName, limit: Int) throws(DatasetError) -> [UInt8]? {
    let system = FolderScan.path(name, in: path)
    return try FileBytes.read("\(path)/\(name.text)", system: system, limit: limit)
  }

  private static func readLabels(_ path: String) throws(DatasetError) -> LabelList {
    guard let file = try FileBytes.map(path, limit: maximumLabelsSize) else { return LabelList() }
    defer { withExtendedLifetime(file) {} }
    return try LabelList(file.bytes, of: path)
  }
}
