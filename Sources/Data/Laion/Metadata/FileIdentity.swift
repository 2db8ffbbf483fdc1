import Files
import Foundation

/// A fingerprint of a file, made without reading all of it.
///
/// For Parquet it covers the whole footer: the position and the value range of every column chunk.
enum FileIdentity {
  private static let end = 64 << 10
  // A footer that claims more is read in part.
  private static let maximumFooter = 16 << 20

  /// The size of the file, and a hash of its first and last bytes.
  static func of(_ path: String) throws(LaionError) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw .file(FileError("open", path: path))
    }
    defer { try? file.close() }
    do {
      let size = Int(try file.seekToEnd())
      var hash = SHA256()
      hash.update(try bytes(of: file, from: 0, end))
      let tail = max(end, try footer(of: file, size))
      hash.update(try bytes(of: file, from: max(0, size - tail), tail))
      return "\(size) bytes \(hash.digest().prefix(16))"
    } catch {
      throw .file(FileError("read", path: path, reason: error.localizedDescription))
    }
  }

  /// The bytes of a Parquet file's footer; 0 of other files.
  private static func footer(of file: FileHandle, _ size: Int) throws -> Int {
    let last = try bytes(of: file, from: max(0, size - 8), 8)
    guard last.count == 8, last.suffix(4).elementsEqual("PAR1".utf8) else { return 0 }
    let length = (0..<4).reduce(0) { $0 | Int(last[$1]) << (8 * $1) }
    return min(length + 8, maximumFooter)
  }

  private static func bytes(of file: FileHandle, from start: Int, _ count: Int) throws -> [UInt8] {
    try file.seek(toOffset: UInt64(start))
    return Array(try file.read(upToCount: count) ?? Data())
  }
}
