import Files
import Foundation
import Glibc

/// The folder of one split: its pairs, and what accompanies them.
struct SplitFolder: Sendable {
  /// The most pairs that are published at once.
  static let maximumBatch = 4096

  let path: String
  /// The ending of image files, without a dot.
  let imageSuffix: String

  init(path: String, format: StoredFormat) {
    self.path = path
    imageSuffix = format.rawValue
  }

  var ledgerPath: String { path + "/.ledger" }
  var crashesPath: String { path + "/.crashes" }
  var indexPath: String { path + "/index.parquet" }
  var statisticsPath: String { path + "/stats.json" }
  /// The split's packed dataset, beside the folder.
  var datasetPath: String { path + ".zip" }

  /// Where the image of a row waits until the rows before it are finished.
  func stagedImage(row: Int) -> String { "\(staging)/\(row).\(imageSuffix)" }
  func stagedCaption(row: Int) -> String { "\(staging)/\(row).txt" }

  func imagePath(_ number: Int) -> String { "\(path)/\(number).\(imageSuffix)" }
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
