import Files
import Foundation
import Glibc

/// What a packer has done, one line per checkpoint, so that a killed run can go on.
///
/// A line holds the sizes of all parts at one moment; it is written after their bytes are on the
/// disk. On opening, the last line counts that is whole and whose parts are all long enough; what
/// stands behind it is cut off. The journal stays locked while it is open.
final class PackJournal {
  /// One checkpoint.
  struct State: Codable, Equatable {
    /// Items of the source that were dealt with.
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
  }

  /// The archive that is about to get its final name: by this it is known again under it.
  struct Finished: Codable, Equatable {
    var size: Int
    /// The file's number in its file system.
    var inode: UInt64
  }

  /// The last checkpoint; `nil` when nothing was begun.
  private(set) var state: State?

  private let path: String
  private let descriptor: Int32

  /// Opens or makes a journal.
  ///
  /// - Parameters:
  ///   - path: Its file.
  ///   - fingerprint: Stands for the source and all settings that decide about the bytes.
  ///   - limit: Checkpoints of more items do not count; `nil` counts all.
  ///   - isInPlace: Whether this finished archive has its final name; else it is finished anew.
  ///   - partSize: The size of the part of this name on the disk.
  /// - Throws: `DatasetError` when another run has it or it was begun with other settings.
  init(
    _ path: String,
    fingerprint: String,
    limit: Int? = nil,
    isInPlace: (Finished) -> Bool = { _ in false },
    partSize: (String) -> Int
  ) throws(DatasetError) {
    self.path = path
    descriptor = try files { () throws(FileError) in
      try RegularFile.open(path, O_RDWR | O_CREAT | O_APPEND, to: "create")
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      throw .option("\(path): another nifty is packing this dataset; wait for it or end it")
    }
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
    // The archive of a finished dataset is gone from here, and with it what earlier lines speak of.
    let isDone = states.last?.state?.finished.map(isInPlace) ?? false
    for (state, lineEnd) in states {
      guard let state, state.itemsDone <= limit ?? .max,
        isDone
          || state.finished == nil && state.sizes.allSatisfy({ partSize($0.key) >= $0.value })
      else { break }
      (self.state, end) = (state, lineEnd)
    }
    if ftruncate(descriptor, off_t(end)) != 0 { throw .file(FileError("cut", path: path)) }
    if end == 0 { try append(Self.header(fingerprint)) }
  }

  deinit {
    // A process that is being started holds a copy until it has become another program.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Appends a checkpoint; the bytes it speaks of must be on the disk.
  func append(_ state: State) throws(DatasetError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let json = try? encoder.encode(state) else {
      preconditionFailure("a state of integers always encodes")
    }
    try append(String(decoding: json, as: UTF8.self))
    self.state = state
  }

  private func append(_ content: String) throws(DatasetError) {
    let line = Array((content + "\t" + Self.checksum(content) + "\n").utf8)
    // One call: lines are shorter than what the system writes at once.
    let written = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard written == line.count, fdatasync(descriptor) == 0 else {
      throw .file(FileError("write", path: path, code: written < 0 ? errno : ENOSPC))
    }
  }

  private static func header(_ fingerprint: String) -> String {
    "nifty pack journal 1\t\(fingerprint)"
  }

  private static func checksum(_ content: String) -> String {
    String(Array(content.utf8).withUnsafeBytes(CRC32.of), radix: 16)
  }

  /// The whole lines at the beginning of the file, and where each ends.
  private static func validLines(
    of path: String
  ) throws(DatasetError) -> [(content: String, end: Int)] {
    let file = try files { () throws(FileError) in try MappedFile(path) }
    defer { withExtendedLifetime(file) {} }
    var lines: [(content: String, end: Int)] = []
    var start = 0
    while let end = file.bytes[start...].firstIndex(of: 0x0A) {
      let line = String(decoding: file.bytes[start..<end], as: UTF8.self)
      guard let tab = line.lastIndex(of: "\t") else { break }
      let content = String(line[..<tab])
      guard checksum(content) == line[line.index(after: tab)...] else { break }
      start = end + 1
      lines.append((content, start))
    }
    return lines
  }
}
