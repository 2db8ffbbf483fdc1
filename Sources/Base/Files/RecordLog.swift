import BasicAlgorithms
import Glibc

/// An append-only text file whose lines survive `kill -9` and a power failure.
///
/// Each line ends with a tab and a checksum, and is on the disk before `append` returns. After a crash the
/// valid prefix counts; the owner truncates the rest. The file stays locked while it is open: two writers
/// would undo each other.
package final class RecordLog {
  /// The checksum of a line; a file keeps the one that it was begun with.
  package enum Checksum: Sendable {
    /// FNV-1a, 64 bits.
    case fnv
    /// CRC-32, as in zip.
    case crc32

    /// A line: its content, checksum and line end.
    package func sealed(_ content: String) -> String { "\(content)\t\(digits(content.utf8))\n" }

    /// The content of a line; `nil` if the checksum is wrong.
    package func opened(_ line: String) -> Substring? {
      guard let tab = line.lastIndex(of: "\t") else { return nil }
      let content = line[..<tab]
      return digits(content.utf8) == line[line.index(after: tab)...] ? content : nil
    }

    private func digits(_ bytes: some Sequence<UInt8>) -> String {
      switch self {
      case .fnv: String(FNV.hash(bytes), radix: 16)
      case .crc32: String(Array(bytes).withUnsafeBytes(CRC32.of), radix: 16)
      }
    }
  }

  /// Its path.
  package let path: String
  private let checksum: Checksum
  private let descriptor: Int32

  /// Opens or creates a log, and locks it.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - checksum: The checksum of its lines.
  ///   - work: The owner's work as a verb, for the error in a second process.
  /// - Throws: `FileError`; its code is `EWOULDBLOCK` if another process has the log.
  package init(_ path: String, _ checksum: Checksum, to work: String) throws(FileError) {
    self.path = path
    self.checksum = checksum
    let descriptor = try RegularFile.open(path, O_RDWR | O_CREAT | O_APPEND, to: "create")
    do throws(FileError) {
      try FileLock.take(descriptor, on: path, to: work)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit {
    FileLock.release(descriptor)
    close(descriptor)
  }

  /// Appends lines and flushes them to the disk.
  package func append(_ contents: [String]) throws(FileError) {
    let lines = contents.map(checksum.sealed).joined()
    try appendRecord(Array(lines.utf8), to: descriptor, path: path)
    if fdatasync(descriptor) != 0 { throw FileError("flush", path: path) }
  }

  /// Truncates the file to its first bytes.
  package func cut(to size: Int) throws(FileError) {
    if ftruncate(descriptor, off_t(size)) != 0 { throw FileError("cut", path: path) }
  }
}

/// A reader of a log's valid prefix, line by line.
package struct RecordReader {
  private let file: MappedFile
  private let checksum: RecordLog.Checksum
  private var start = 0
  private var released = 0

  private static let releasedAtOnce = 1 << 20

  /// Opens a log for reading, without its lock.
  package init(_ path: String, _ checksum: RecordLog.Checksum) throws(FileError) {
    file = try MappedFile(path)
    self.checksum = checksum
  }

  /// The next line's content and end in bytes; `nil` at the end or at a damaged line.
  package mutating func next() -> (content: Substring, end: Int)? {
    defer { withExtendedLifetime(file) {} }
    guard let end = file.bytes[start...].firstIndex(of: 0x0A),
      let content = checksum.opened(String(decoding: file.bytes[start..<end], as: UTF8.self))
    else { return nil }
    start = end + 1
    // Read pages count as resident memory until they are released.
    if start - released >= Self.releasedAtOnce {
      file.release(released..<start)
      released = start
    }
    return (content, start)
  }
}
