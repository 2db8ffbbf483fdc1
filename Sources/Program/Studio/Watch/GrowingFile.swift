import Files

/// A text file that another process appends to, and cuts when a run goes on from a checkpoint.
///
/// It is read, not mapped: a mapped file that is cut ends the process.
struct GrowingFile {
  /// What is new since the last look.
  struct News {
    /// Whole lines, each with its end.
    var bytes: [UInt8]
    /// Whether the file was truncated: earlier content is invalid.
    var beganAnew: Bool
  }

  /// Its path.
  let path: String
  private var offset = 0
  private var inode: UInt = 0
  private var end: [UInt8] = []

  /// A file that was not read yet.
  init(_ path: String) { self.path = path }

  /// The most bytes that one look reads.
  private static let most = 256 << 20

  /// Reads the whole lines that were appended.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  mutating func news() throws(FileError) -> News {
    let file = try OpenedFile(path)
    var beganAnew = file.inode != inode || file.size < offset
    if !beganAnew, !end.isEmpty {
      // Cut, and already longer than it was.
      beganAnew = try file.bytes(from: offset - end.count, count: end.count) != end
    }
    if beganAnew { (offset, end, inode) = (0, [], file.inode) }
    var bytes = try file.bytes(from: offset, count: min(file.size - offset, Self.most))
    let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
    bytes.removeLast(bytes.count - whole)
    offset += whole
    if whole > 0 { end = Array(bytes.suffix(64)) }
    return News(bytes: bytes, beganAnew: beganAnew)
  }
}
