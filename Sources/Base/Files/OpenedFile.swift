import Glibc

/// A regular file open for reading; read, not mapped, as another process may append to it or truncate it.
package struct OpenedFile: ~Copyable {
  /// The size in bytes.
  package let size: Int
  /// The inode, which distinguishes files of one name.
  package let inode: UInt
  /// The time of the last change, in seconds since 1970.
  package let changed: Double
  private let descriptor: Int32
  private let path: String

  /// Opens a file; no link is followed, and nothing but a regular file is opened.
  ///
  /// - Throws: `FileError` if there is none.
  package init(_ path: String) throws(FileError) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    if descriptor < 0 {
      let code = errno
      var status = stat()
      if code == ELOOP, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
        let reason = "a link, which is not followed here; put the file itself there"
        throw FileError("open", path: path, code: code, reason: reason)
      }
      throw FileError("open", path: path, code: code)
    }
    var status = stat()
    let kind = fstat(descriptor, &status) == 0 ? RegularFile.otherKind(status) : "unknown"
    if let kind {
      close(descriptor)
      throw FileError("open", path: path, reason: "\(kind), not a file")
    }
    size = Int(status.st_size)
    inode = UInt(status.st_ino)
    changed = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// Some of its bytes; fewer at the end of the file.
  package func bytes(from start: Int, count: Int) throws(FileError) -> [UInt8] {
    try readAll(count, of: descriptor, from: start, path: path)
  }

  /// Its first bytes as a text.
  package func text(upTo count: Int) throws(FileError) -> String {
    String(decoding: try bytes(from: 0, count: min(size, count)), as: UTF8.self)
  }

  /// Its last complete lines.
  package func lastLines(within count: Int) throws(FileError) -> [Substring] {
    let start = max(size - count, 0)
    let text = String(decoding: try bytes(from: start, count: size - start), as: UTF8.self)
    let lines = text.split(separator: "\n")
    return start > 0 ? Array(lines.dropFirst()) : lines
  }
}
