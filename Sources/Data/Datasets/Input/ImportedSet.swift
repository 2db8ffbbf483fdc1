import Files
import Foundation
import Glibc

/// A published dataset in the layout of its authors: images, captions and the split of both.
///
/// The split's files, and the missing ones among them, are determined on opening.
package struct ImportedSet: ImageTextSource {
  /// An image with its captions.
  struct Entry: Sendable {
    /// The name for reports and exports.
    var name: String
    /// The image's path.
    var image: String
    var captions: Captions
  }

  /// The captions, or their file.
  enum Captions: Sendable {
    case lines([String])
    /// One caption a line.
    case file(String)
  }

  /// A description of the set.
  package let summary: String
  /// The number of images that the authors published in this split.
  package let publishedCount: Int
  /// The missing files of the split.
  package let missing: [String]
  /// Images of the split without any caption.
  package let uncaptioned: [String]
  package let remarks: [PackReport.Dropped]
  private let entries: [Entry]

  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20

  /// Checks which files exist.
  init(
    _ summary: String,
    publishedCount: Int,
    _ entries: [Entry],
    remarks: [PackReport.Dropped] = []
  ) throws(DatasetError) {
    self.remarks = remarks
    self.summary = summary
    self.publishedCount = publishedCount
    var (found, missing, uncaptioned): ([Entry], [String], [String]) = ([], [], [])
    for entry in entries.sorted(by: { FileNames.precedes($0.name, $1.name) }) {
      guard access(entry.image, R_OK) == 0 else {
        missing.append(entry.image)
        continue
      }
      switch entry.captions {
      case .lines(let lines): if lines.isEmpty { uncaptioned.append(entry.name) }
      case .file(let path): if access(path, R_OK) != 0 { missing.append(path) }
      }
      found.append(entry)
    }
    self.entries = found
    self.missing = missing
    self.uncaptioned = uncaptioned
    guard !found.isEmpty else { throw .noImages(path: summary) }
  }

  package var count: Int { entries.count }

  /// Empty: the stamp of each entry covers its files.
  package var identity: String { "" }

  package func name(at index: Int) -> String { entries[index].name }

  package func stamp(at index: Int) -> String {
    let entry = entries[index]
    let captions =
      switch entry.captions {
      case .lines(let lines): "\(lines)"
      case .file(let path): FileStamp.of(path)
      }
    return FileStamp.of(entry.image) + " " + captions
  }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let entry = entries[index]
    guard let image = try FileBytes.read(entry.image, limit: Self.maximumImageSize) else {
      throw .missing(path: entry.image)
    }
    return switch entry.captions {
    case .lines(let lines): ImageTextItem(picture: .encoded(image), captions: lines)
    case .file(let path):
      ImageTextItem(
        picture: .encoded(image),
        text: try FileBytes.read(path, limit: Self.maximumTextSize)
      )
    }
  }

  /// The first existing path of several below a folder.
  static func first(
    of names: [String],
    in root: String,
    what: String
  ) throws(DatasetError) -> String {
    for name in names where access("\(root)/\(name)", F_OK) == 0 { return "\(root)/\(name)" }
    throw .option("\(root) has no \(what); looked for \(names.joined(separator: ", "))")
  }
}

/// Whole files in memory.
enum FileBytes {
  /// The content of a regular file; `nil` if it is missing.
  static func read(
    _ path: String,
    system: [CChar]? = nil,
    limit: Int
  ) throws(DatasetError) -> [UInt8]? {
    try map(path, system: system, limit: limit).map { file in
      withExtendedLifetime(file) { Array(file.bytes) }
    }
  }

  /// A mapped regular file; `nil` if it is missing.
  static func map(
    _ path: String,
    system: [CChar]? = nil,
    limit: Int
  ) throws(DatasetError) -> MappedFile? {
    do throws(FileError) {
      let file = try MappedFile(path, system: system)
      guard file.bytes.count <= limit else {
        throw FileError("read", path: path, reason: "larger than \(limit >> 20) MiB")
      }
      return file
    } catch {
      if error.code == ENOENT { return nil }
      throw .file(error)
    }
  }
}
