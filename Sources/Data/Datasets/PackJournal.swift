import Files
import Foundation
import Glibc

/// The journal of a packer, one line per checkpoint, from which a killed run continues.
///
/// A line holds the sizes of all parts at one moment; it is written after their bytes are on the disk. On
/// opening, the last valid line whose parts are all long enough counts; the journal is truncated after it. It
/// stays locked while it is open.
final class PackJournal {
  /// One checkpoint.
  struct State: Codable, Equatable {
    /// Items of the source processed.
    var itemsDone = 0
    /// Images packed.
    var imageCount = 0
    /// Captions packed.
    var captionCount = 0
    /// Images packed without a label.
    var unlabelledCount = 0
    /// Numbers per feature; `nil` before the first.
    var featureDimension: Int?
    /// Side of the images; `nil` before the first.
    var resolution: Int?
    /// Size of each part in bytes, by its name.
    var sizes: [String: Int] = [:]
    /// The finished archive; `nil` while images are added.
    var finished: Finished?

    /// Whether the numbers are plausible: a folder of unfinished parts may come from anywhere.
    var isPlausible: Bool {
      let counts = [
        itemsDone, imageCount, captionCount, unlabelledCount, featureDimension ?? 0,
        resolution ?? 0,
      ]
      return (counts + sizes.values).allSatisfy { (0...1 << 56).contains($0) }
    }
  }

  /// The identity of the archive before it gets its final name, by which it is recognised afterwards.
  struct Finished: Codable, Equatable {
    var size: Int
    /// The file's inode.
    var inode: UInt64
  }

  /// The last checkpoint, if there is one.
  private(set) var state: State?

  private let log: RecordLog

  /// Opens or creates a journal.
  ///
  /// - Parameters:
  ///   - path: Its file.
  ///   - fingerprint: Of the source and all settings that change the bytes.
  ///   - limit: Ignores checkpoints of more items; `nil` for no limit.
  ///   - isInPlace: Whether this finished archive has its final name; else it is finished again.
  ///   - partSize: The size of a part on the disk, by its name.
  /// - Throws: `DatasetError` if another run has it or it was begun with other settings.
  init(
    _ path: String,
    fingerprint: String,
    limit: Int? = nil,
    isInPlace: (Finished) -> Bool = { _ in false },
    partSize: (String) -> Int
  ) throws(DatasetError) {
    log = try files { () throws(FileError) in try RecordLog(path, .crc32, to: "pack into") }
    let lines = try Self.validLines(of: path)
    if let first = lines.first, first.content != Self.header(fingerprint) {
      let folder = URL(filePath: path).deletingLastPathComponent().path
      throw .option(
        "\(folder) holds a dataset begun from another source or with other settings; "
          + "run that command again to finish it, or remove the folder"
      )
    }
    var end = lines.first?.end ?? 0
    let states = lines.dropFirst().map { line in
      (state: try? JSONDecoder().decode(State.self, from: Data(line.content.utf8)), end: line.end)
    }
    // The archive of a finished dataset has moved, so the sizes in earlier lines do not hold any more.
    let isDone = states.last?.state?.finished.map(isInPlace) ?? false
    for (state, lineEnd) in states {
      guard let state, state.isPlausible, state.itemsDone <= limit ?? .max,
        isDone
          || state.finished == nil && state.sizes.allSatisfy({ partSize($0.key) >= $0.value })
      else { break }
      (self.state, end) = (state, lineEnd)
    }
    let (valid, header) = (end, Self.header(fingerprint))
    try files { () throws(FileError) in
      try log.cut(to: valid)
      if valid == 0 { try log.append([header]) }
    }
  }

  /// Appends a checkpoint; its parts must be on the disk.
  func append(_ state: State) throws(DatasetError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let json = try? encoder.encode(state) else {
      preconditionFailure("a state of integers always encodes")
    }
    let line = String(decoding: json, as: UTF8.self)
    try files { () throws(FileError) in try log.append([line]) }
    self.state = state
  }

  private static func header(_ fingerprint: String) -> String {
    "nifty pack journal 1\t\(fingerprint)"
  }

  /// The valid prefix of the file: its lines, with the end of each.
  private static func validLines(
    of path: String
  ) throws(DatasetError) -> [(content: String, end: Int)] {
    var reader = try files { () throws(FileError) in try RecordReader(path, .crc32) }
    var lines: [(content: String, end: Int)] = []
    while let (content, end) = reader.next() { lines.append((String(content), end)) }
    return lines
  }
}
