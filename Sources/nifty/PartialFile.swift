import Files
import Glibc

/// A file that grows, knows its hash, and takes its final name at the end.
final class PartialFile {
  /// Bytes in the file.
  private(set) var size = 0
  private let path: String
  private var hash = SHA256()
  private let descriptor: Int32

  /// Opens a file for appending.
  ///
  /// - Parameters:
  ///   - path: Its name for now.
  ///   - keeping: Goes on after what is there; else begins anew.
  /// - Throws: `FileError` if it cannot be read or written.
  init(_ path: String, keeping: Bool) throws(FileError) {
    self.path = path
    if keeping, access(path, F_OK) == 0 {
      let there = try MappedFile(path)
      hash.update(there.bytes)
      size = there.bytes.count
    }
    let truncation = keeping ? 0 : O_TRUNC
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | truncation, 0o644)
    if descriptor < 0 { throw FileError("create", path: path) }
  }

  deinit {
    close(descriptor)
    // Nothing to go on from: do not leave an empty file behind.
    if size == 0 { unlink(path) }
  }

  /// The hash of everything in the file.
  var digest: String { hash.digest() }

  /// Appends bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = write(descriptor, base + done, bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError("write", path: path)
      }
      done += count
    }
    hash.update(bytes)
    size += done
  }

  /// Forgets everything in the file.
  func restart() throws(FileError) {
    if size == 0 { return }
    if ftruncate(descriptor, 0) != 0 { throw FileError("truncate", path: path) }
    (size, hash) = (0, SHA256())
  }

  /// Removes the file.
  func remove() { unlink(path) }

  /// Makes the file durable and gives it its final name.
  func finish(as final: String) throws(FileError) {
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
    if rename(path, final) != 0 { throw FileError("rename to", path: final) }
  }
}
