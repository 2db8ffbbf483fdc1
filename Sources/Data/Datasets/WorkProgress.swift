package import Files
import Foundation
import Glibc

/// How far a download or a packing is, in a small file beside its work, for those who watch it.
///
/// The work itself goes on from its ledger or journal, never from this file: it is not flushed to the disk,
/// and where it cannot be written the work goes on without.
package struct WorkProgress: Codable, Equatable, Sendable {
  /// What is counted in `done`: pairs of a download, items of a source that is packed.
  package var done: Int
  /// How many there will be; `nil` where that is not known.
  package var total: Int?
  /// Images stored.
  package var images: Int
  /// Rows or items that gave none.
  package var leftOut: Int
  /// Of `done`, in a second, since this session began.
  package var rate: Double
  /// Seconds until all is done at this rate; `nil` where that is not known.
  package var secondsLeft: Double?

  /// This progress.
  package init(
    done: Int,
    total: Int?,
    images: Int,
    leftOut: Int,
    rate: Double,
    secondsLeft: Double?
  ) {
    self.done = done
    self.total = total
    self.images = images
    self.leftOut = leftOut
    self.rate = rate
    self.secondsLeft = secondsLeft
  }

  /// The file's name, in the folder of the work.
  package static let fileName = ".progress.json"
  /// The most bytes of the file.
  private static let longestFile = 4 << 10

  /// The progress of a folder's work.
  ///
  /// - Parameter folder: The folder of a split, or that of the unfinished parts of a packed dataset.
  /// - Returns: `nil` where there is none, as of a work that an earlier version began.
  /// - Throws: `FileError` for a file that cannot be read, or does not say it.
  package static func read(_ folder: String) throws(FileError) -> WorkProgress? {
    let path = "\(folder)/\(fileName)"
    guard exists(path) else { return nil }
    let file = try OpenedFile(path)
    let text = try file.text(upTo: longestFile)
    guard let progress = try? JSONDecoder().decode(WorkProgress.self, from: Data(text.utf8)),
      progress.isPlausible
    else { throw FileError("read", path: path, reason: "it tells no progress") }
    return progress
  }

  /// Whether its counts can be: it may come from anywhere.
  private var isPlausible: Bool {
    [done, total ?? 0, images, leftOut].allSatisfy { (0...1 << 50).contains($0) }
      && [rate, secondsLeft ?? 0].allSatisfy { $0.isFinite && $0 >= 0 }
  }

  /// Puts it into the folder of a work; nothing happens where that cannot be.
  package func note(in folder: String) {
    guard let json = try? JSONEncoder().encode(self) else { return }
    let path = "\(folder)/\(Self.fileName)"
    let new = path + ".new"
    // A disk that is full is told of by the work itself.
    do throws(FileError) {
      let descriptor = try RegularFile.open(new, O_WRONLY | O_CREAT | O_TRUNC, to: "write")
      defer { close(descriptor) }
      try writeAll(Array(json) + [0x0A], to: descriptor, path: new)
    } catch {
      unlink(new)
      return
    }
    if rename(new, path) != 0 { unlink(new) }
  }

  /// Takes it away: the work is finished, and tells of itself.
  package static func remove(from folder: String) {
    unlink("\(folder)/\(fileName)")
    unlink("\(folder)/\(fileName).new")
  }
}
