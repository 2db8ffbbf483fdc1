import Files
import Foundation
import Glibc

/// A folder of images, each with its captions in a text file of the same stem: `7.png`, `7.txt`.
///
/// Every line of the text file is a caption; an image without one has no captions. Sub-folders are
/// read too; hidden files are not. Order: by path, numbers as numbers. Where several images share a
/// stem, each gets the same captions.
package struct ImageTextFolder: ImageTextSource {
  /// The folder's path.
  package let path: String

  /// Paths of the images, relative to the folder.
  private let images: [String]

  private static let extensions: Set<String> = ["png", "jpg", "jpeg", "webp"]
  /// Larger files are no photographs and no captions, and are not read into memory.
  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20

  /// Lists a folder.
  ///
  /// - Throws: `DatasetError` when it is missing or holds no image.
  package init(_ path: String) throws(DatasetError) {
    self.path = path
    // The folder itself may be a link; links inside of it are not followed, so there are no loops.
    let root = URL(filePath: path).resolvingSymlinksInPath().path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .missing(path: path)
    }
    guard isFolder.boolValue, let files = FileManager.default.enumerator(atPath: root) else {
      throw .option("\(path) is no folder; give a folder of images with captions")
    }
    var found: [String] = []
    while let name = files.nextObject() as? String {
      if Self.isHidden(name) { continue }
      if Self.extensions.contains(Self.suffix(of: name).lowercased()) { found.append(name) }
    }
    guard !found.isEmpty else { throw .noImages(path: path) }
    images = found.sorted(by: NaturalOrder.precedes)
  }

  package var count: Int { images.count }

  package var summary: String { "folder " + URL(filePath: path).lastPathComponent }

  package func name(at index: Int) -> String { images[index] }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let image = path + "/" + images[index]
    let text = image.dropLast(Self.suffix(of: image).count) + "txt"
    guard let bytes = try Self.read(image, limit: Self.maximumImageSize) else {
      throw .missing(path: image)
    }
    let captions = try Self.read(String(text), limit: Self.maximumTextSize).map(Self.lines) ?? []
    return ImageTextItem(image: bytes, captions: captions)
  }

  /// The captions in a text file: its lines without white space around them, empty ones left out.
  static func lines(_ text: [UInt8]) -> [String] {
    String(decoding: text, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces.union(.init(charactersIn: "\u{FEFF}"))) }
      .filter { !$0.isEmpty }
  }

  /// A whole file; `nil` when there is none of this name.
  private static func read(_ path: String, limit: Int) throws(DatasetError) -> [UInt8]? {
    var status = stat()
    // Opening a pipe or a device could wait for ever.
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw .file(FileError("read", path: path, reason: "not a regular file"))
    }
    do throws(FileError) {
      let file = try MappedFile(path)
      guard file.bytes.count <= limit else {
        throw FileError("read", path: path, reason: "larger than \(limit >> 20) MiB")
      }
      return withExtendedLifetime(file) { Array(file.bytes) }
    } catch {
      if error.code == ENOENT { return nil }
      throw .file(error)
    }
  }

  private static func suffix(of name: String) -> Substring {
    guard let dot = name.lastIndex(of: ".") else { return "" }
    return name[name.index(after: dot)...]
  }

  private static func isHidden(_ name: String) -> Bool {
    name.hasPrefix(".") || name.contains("/.")
  }
}
