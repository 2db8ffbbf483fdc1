import Files

/// A text file that another process appends to, and truncates when a run continues from a checkpoint.
///
/// It is read, not mapped: access to a truncated mapping ends the process.
struct GrowingFile {
  /// The lines appended since the last read.
  struct Update {
    /// Whole lines, each with its newline.
    var bytes: [UInt8]
    /// Whether the file was truncated: earlier content is invalid.
    var beganAnew: Bool
  }

  /// Its path.
  let path: String
  private var offset = 0
  private var inode: UInt = 0
  private var end: [UInt8] = []

  /// A file, to be read from its beginning.
  init(_ path: String) { self.path = path }

  /// The most bytes of one read.
  private static let most = 256 << 20

  /// Reads the whole lines that were appended.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  mutating func news() throws(FileError) -> Update {
    let file = try OpenedFile(path)
    var beganAnew = file.inode != inode || file.size < offset
    if !beganAnew, !end.isEmpty {
      // Truncated, and already longer than before.
      beganAnew = try file.bytes(from: offset - end.count, count: end.count) != end
    }
    if beganAnew { (offset, end, inode) = (0, [], file.inode) }
    var bytes = try file.bytes(from: offset, count: min(file.size - offset, Self.most))
    let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
    bytes.removeLast(bytes.count - whole)
    offset += whole
    if whole > 0 { end = Array(bytes.suffix(64)) }
    return Update(bytes: bytes, beganAnew: beganAnew)
  }
}
