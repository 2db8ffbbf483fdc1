import Distributed
import Files
import Foundation
import Glibc
import Snapshots

/// The append-only text files of a run: `log.txt`, `stats.jsonl`, `metric-….jsonl`.
///
/// A full disk does not end a run of days: lines are buffered in memory until there is room.
final class RunLog {
  private let folder: RunFolder
  private let names: [String]
  private let hangDetector: HangDetector?
  private var waiting: [(name: String, line: String)] = []
  /// The reason for buffering; `nil` while everything is on the disk.
  private(set) var trouble: FileError?

  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - metrics: Names of the metrics that the run computes itself.
  ///   - hangDetector: The hang detector, notified of each write.
  init(_ folder: RunFolder, metrics: [String], hangDetector: HangDetector? = nil) {
    self.folder = folder
    self.hangDetector = hangDetector
    names = ["log.txt", "stats.jsonl"] + metrics.map { "metric-\($0).jsonl" }
  }

  /// Appends a line, buffered while the disk is full.
  ///
  /// - Throws: `FileError` if buffering does not help.
  func append(_ line: String, to name: String) throws(FileError) {
    waiting.append((name, line))
    do { try flush() } catch {
      guard [ENOSPC, EDQUOT, EIO].contains(error.code), waiting.count < 100_000 else {
        throw error
      }
    }
  }

  /// Writes the buffered lines.
  func flush() throws(FileError) {
    while let (name, line) = waiting.first {
      do throws(FileError) { try append(line, name) } catch {
        trouble = error
        throw error
      }
      waiting.removeFirst()
    }
    trouble = nil
  }

  private func append(_ line: String, _ name: String) throws(FileError) {
    let body = { () throws(FileError) in try self.folder.append(line, to: name) }
    guard let hangDetector else { return try body() }
    try hangDetector.doing("writes \(name)", body)
  }

  /// Sizes of the existing files, in bytes.
  var sizes: [String: Int] {
    names.reduce(into: [:]) { sizes, name in
      var status = stat()
      if stat(folder.file(name), &status) == 0 { sizes[name] = Int(status.st_size) }
    }
  }

  /// Truncates the files to a checkpoint; the run rewrites the rest.
  ///
  /// Scores of earlier snapshots that were measured meanwhile stay.
  /// - Parameters:
  ///   - sizes: The sizes at the checkpoint.
  ///   - imagesSeen: Images seen there.
  /// - Returns: A line about each file that lost something.
  /// - Throws: `FileError` if a file cannot be cut.
  func cut(to sizes: [String: Int], imagesSeen: Int) throws(FileError) -> [String] {
    var complaints: [String] = []
    for name in names {
      let (path, size) = (folder.file(name), sizes[name] ?? 0)
      guard access(path, F_OK) == 0 else {
        if size > 0 { complaints.append("\(path) is gone; it begins anew") }
        continue
      }
      let file = try MappedFile(path)
      defer { withExtendedLifetime(file) {} }
      if file.bytes.count < size {
        complaints.append("\(path) lost its last \(size - file.bytes.count) bytes")
      }
      if file.bytes.count <= size { continue }
      let tail = String(decoding: file.bytes[size...], as: UTF8.self)
      let kept =
        name.hasPrefix("metric-")
        ? tail.split(separator: "\n").filter { Self.isOfEarlier($0, than: imagesSeen) } : []
      if kept.isEmpty {
        try RegularFile.cut(path, to: size)
      } else {
        let head = Array(file.bytes[..<size])
        try AtomicFile.write(head + kept.flatMap { Array($0.utf8) + [10] }, to: path)
      }
    }
    return complaints
  }

  /// Whether a metric line is of a snapshot that the continued run will not write again.
  private static func isOfEarlier(_ line: Substring, than imagesSeen: Int) -> Bool {
    let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    guard let snapshot = object?["snapshot_pkl"] as? String,
      let kimg = SnapshotName.kimg(of: snapshot)
    else { return false }
    return kimg < imagesSeen / 1000
  }
}
