import Files
import Foundation
import Glibc

/// The files of one split: `K.png` and `K.txt` for K = 0, 1, …, and what accompanies them.
struct SplitFolder: Sendable {
  /// A pair whose image waits in the staging folder.
  struct Pair: Sendable {
    let row: Int
    let number: Int
    let caption: String
  }

  let path: String

  var ledgerPath: String { path + "/.ledger" }
  var indexPath: String { path + "/index.parquet" }
  var statisticsPath: String { path + "/stats.json" }

  /// Where the image of a row waits until the rows before it are finished.
  func stagedImage(row: Int) -> String { "\(staging)/\(row).png" }

  func imagePath(_ number: Int) -> String { "\(path)/\(number).png" }
  func captionPath(_ number: Int) -> String { "\(path)/\(number).txt" }

  private var staging: String { path + "/.staged" }
  private func stagedCaption(row: Int) -> String { "\(staging)/\(row).txt" }

  /// Makes the folder and removes what an interrupted run left in it.
  ///
  /// - Parameters:
  ///   - pairs: The pairs that the ledger vouches for.
  ///   - batch: The most pairs that are published at once.
  /// - Throws: `FileError` when the folder cannot be made.
  func prepare(pairs: Int, batch: Int) throws(FileError) {
    removeStaging()
    do {
      try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: true)
    } catch {
      throw FileError("create folder", path: staging)
    }
    for number in pairs..<pairs + batch {
      unlink(imagePath(number))
      unlink(captionPath(number))
    }
  }

  /// Gives pairs their final names; returns when they are on the disk.
  ///
  /// Contents are flushed before the renames and the renames before the caller notes the numbers,
  /// so that no number is ever noted for a file that a power failure could still undo.
  func publish(_ pairs: [Pair]) throws(FileError) {
    if pairs.isEmpty { return }
    for pair in pairs {
      try ScratchFile.write(Array(pair.caption.utf8), to: stagedCaption(row: pair.row))
    }
    try ScratchFile.flushFileSystem(of: path)
    for pair in pairs {
      try move(stagedImage(row: pair.row), to: imagePath(pair.number))
      try move(stagedCaption(row: pair.row), to: captionPath(pair.number))
    }
    try ScratchFile.flushFileSystem(of: path)
  }

  func removeStaging() {
    try? FileManager.default.removeItem(atPath: staging)
  }

  private func move(_ source: String, to target: String) throws(FileError) {
    if rename(source, target) != 0 { throw FileError("rename to", path: target) }
  }
}
