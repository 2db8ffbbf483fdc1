import Files
import Foundation
import Glibc
import Images

/// The folder of one split: its pairs, ledger, index and statistics.
struct SplitFolder: Sendable {
  /// The maximum number of pairs published at once.
  static let maximumBatch = 4096

  let path: String
  private let format: StoredFormat

  /// The suffixes of image files, without a dot.
  static let imageSuffixes = ["png", "jpg", "webp", "gif", "avif"]

  init(path: String, format: StoredFormat) { (self.path, self.format) = (path, format) }

  /// The folder of the split of a number.
  static func path(of number: Int, in output: String) -> String { "\(output)/split\(number)" }

  /// The suffix of an image file, without a dot.
  ///
  /// - Parameter start: The file, or its first bytes.
  /// - Returns: Its suffix.
  func imageSuffix(of start: UnsafeRawBufferPointer) -> String {
    guard format == .original else { return format.rawValue }
    // It was decoded before it was stored: its format is known.
    return switch ImageFormat(detecting: start) {
    case .jpeg: "jpg"
    case .webp: "webp"
    case .gif: "gif"
    case .avif: "avif"
    case .png, nil: "png"
    }
  }

  /// The same, of a file that is opened only if originals are stored.
  func imageSuffix(ofFile path: String) throws(FileError) -> String {
    guard format == .original else { return format.rawValue }
    let file = try MappedFile(path)
    return withExtendedLifetime(file) { imageSuffix(of: file.bytes) }
  }

  var ledgerPath: String { path + "/.ledger" }
  var crashesPath: String { path + "/.crashes" }
  var uploadsPath: String { path + "/.uploads" }
  var indexPath: String { path + "/index.parquet" }
  var statisticsPath: String { path + "/stats.json" }
  /// The split's packed dataset, beside the folder.
  var datasetPath: String { path + ".zip" }

  /// The staged image of a row, until the rows before it are finished.
  func stagedImage(row: Int) -> String { "\(staging)/\(row).image" }
  /// A file of staged images, if they are to be copied into an archive.
  func stagedSegment(_ number: Int) -> String { "\(staging)/\(number).images" }
  func stagedCaption(row: Int) -> String { "\(staging)/\(row).txt" }

  func imagePath(_ number: Int, _ suffix: String) -> String { "\(path)/\(number).\(suffix)" }

  /// The possible paths of a pair's image: with the split's suffix, or with any for originals.
  func imagePaths(_ number: Int) -> [String] {
    let suffixes = format == .original ? Self.imageSuffixes : [format.rawValue]
    return suffixes.map { imagePath(number, $0) }
  }
  func captionPath(_ number: Int) -> String { "\(path)/\(number).txt" }

  private var staging: String { path + "/.staged" }

  /// Makes the folder if there is none.
  func create() throws(FileError) {
    try makeFolder(staging)
  }

  /// Empties the staging folder.
  func clean() throws(FileError) {
    removeStaging()
    try create()
  }

  func removeStaging() {
    try? FileManager.default.removeItem(atPath: staging)
  }

  func remove(_ file: String) { unlink(file) }

  func move(_ source: String, to target: String) throws(FileError) {
    if rename(source, target) != 0 { throw FileError("rename to", path: target) }
  }
}
