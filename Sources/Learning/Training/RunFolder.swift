package import Files
import Foundation
import Glibc
import Networks
import Sampling
import Snapshots
import Text

/// The folder of one run: options, log, statistics, pictures, snapshots.
package struct RunFolder: Sendable {
  /// Its path.
  package let path: String

  /// Makes `outdir/NNNNN-description`, numbered one above the highest there.
  package init(in outdir: String, description: String) throws(FileError) {
    try makeFolder(outdir, to: "create a run folder in")
    path = try Self.next(in: outdir, description: description)
    if mkdir(path, 0o777) != 0 { throw FileError("create a run folder in", path: outdir) }
  }

  /// The folder of an earlier run.
  ///
  /// - Throws: `TrainingError.option` if there is none.
  package init(existing path: String) throws(TrainingError) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let options = "\(self.path)/\(RunOptionsFile.name)"
    guard FileManager.default.fileExists(atPath: options) else {
      throw .option("\(path) is no run folder: it holds no training_options.json")
    }
  }

  /// Refuses a started run without checkpoints: starting over in its folder would overwrite its snapshots.
  ///
  /// - Throws: `TrainingError.checkpoint` with the advice; `FileError` if a folder cannot be read.
  func checkCheckpoints() throws {
    let checkpoints = try listFolder(ifThere: file("checkpoint"))
    if checkpoints.contains(where: { $0.hasPrefix("images-") }) { return }
    let snapshot = try SnapshotName.list(in: path).last
    var statistics = stat()
    let hasStatistics = stat(file("stats.jsonl"), &statistics) == 0 && statistics.st_size > 0
    guard snapshot != nil || hasStatistics else { return }
    let advice = snapshot.map { "with --resume=\(file($0))" } ?? "in another folder"
    throw TrainingError.checkpoint(
      "\(path) has \(snapshot == nil ? "statistics" : "snapshots") but no checkpoint to go on from; "
        + "start a new run \(advice)"
    )
  }

  /// The newest run folder in `outdir` that can be continued.
  ///
  /// - Throws: `TrainingError.option` if there is none; `FileError` if the folder cannot be read.
  package static func latest(in outdir: String) throws -> String {
    let runs = try listFolder(ifThere: outdir).compactMap { name -> (number: Int, name: String)? in
      let isRun = FileManager.default.fileExists(atPath: "\(outdir)/\(name)/checkpoint")
      return isRun ? Int(name.prefix { $0.isNumber }).map { ($0, name) } : nil
    }
    guard let newest = runs.max(by: { $0 < $1 }) else {
      throw TrainingError.option(
        "\(outdir) holds no run with a checkpoint; give the folder as --outdir"
      )
    }
    return "\(outdir)/\(newest.name)"
  }

  /// The path of the next run folder, which is not made.
  package static func next(in outdir: String, description: String) throws(FileError) -> String {
    // A longer number is no run's, and the number after it might overflow.
    let numbers = try listFolder(ifThere: outdir).compactMap { name in
      let digits = name.prefix { $0.isNumber }
      return digits.count <= 9 ? Int(digits) : nil
    }
    let padded = zeroPadded((numbers.max() ?? -1) + 1, to: 5)
    let folder = outdir.count > 1 && outdir.hasSuffix("/") ? String(outdir.dropLast()) : outdir
    return "\(folder)/\(padded)-\(description)"
  }

  /// The path of a file in it.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// "fakes000010.png": the number is in thousands of images.
  package static func numbered(_ stem: String, imagesSeen: Int, _ ending: String) -> String {
    stem + zeroPadded(imagesSeen / 1000, to: 6) + ending
  }

  /// Appends one line to a file; a line is either whole or absent after a crash of the process.
  package func append(_ line: String, to name: String) throws(FileError) {
    let path = file(name)
    let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { close(descriptor) }
    try appendRecord(Array((line + "\n").utf8), to: descriptor, path: path)
  }
}
