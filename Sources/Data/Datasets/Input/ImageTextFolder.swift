import Files
import Foundation

/// A folder of images, each with its captions in a text file of the same stem: `7.png`, `7.txt`.
///
/// Every line of the text file is a caption; an image without one has no captions. Sub-folders are
/// read too; hidden files are not. Labels come from the folder's `dataset.json`. Order: by path, byte
/// by byte, as the original has it, so that `10.png` comes before `9.png`. Where several images
/// share a stem, each gets the same captions.
package struct ImageTextFolder: ImageTextSource {
  /// The folder's path.
  package let path: String

  /// Paths of the images, relative to the folder.
  private let images: [String]
  private let labels: [String: ImageLabel]

  /// Larger files are no photographs and no captions, and are not read into memory.
  private static let maximumImageSize = 512 << 20
  private static let maximumTextSize = 1 << 20
  private static let maximumLabelsSize = 1 << 36

  /// Lists a folder.
  ///
  /// - Throws: `DatasetError` when it is missing, holds no image, or labels that cannot be read.
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
      if !FileNames.isHidden(name) && FileNames.isImage(name) { found.append(name) }
    }
    guard !found.isEmpty else { throw .noImages(path: path) }
    images = found.sorted(by: FileNames.precedes)
    labels = try Self.readLabels(path + "/dataset.json")
  }

  package var count: Int { images.count }

  package var summary: String { "folder " + URL(filePath: path).lastPathComponent }

  package var identity: String {
    FileStamp.place(path) + " " + FileStamp.state(path + "/dataset.json")
  }

  package func name(at index: Int) -> String { images[index] }

  package func stamp(at index: Int) -> String {
    let image = path + "/" + images[index]
    let text = FileNames.replacingSuffix(of: image, by: "txt")
    return FileStamp.state(image) + " " + FileStamp.state(text)
  }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let name = images[index]
    let image = path + "/" + name
    let text = FileNames.replacingSuffix(of: image, by: "txt")
    guard let bytes = try FileBytes.read(image, limit: Self.maximumImageSize) else {
      throw .missing(path: image)
    }
    let captions = try FileBytes.read(text, limit: Self.maximumTextSize)
    return ImageTextItem(picture: .encoded(bytes), text: captions, label: labels[name])
  }

  private static func readLabels(_ path: String) throws(DatasetError) -> [String: ImageLabel] {
    guard let file = try FileBytes.map(path, limit: maximumLabelsSize) else { return [:] }
    defer { withExtendedLifetime(file) {} }
    do throws(JSONScanner.Damage) { return try LabelReader.labels(in: file.bytes) } catch {
      throw .damaged(path: path, entry: "the list of labels", reason: error.reason)
    }
  }
}
