import Glibc

/// A growing file with a running hash, which gets its final name at the end.
///
/// It is locked while it is open: two downloads into one file would mix their bytes.
package final class PartialFile {
  /// Bytes in the file.
  package private(set) var size = 0
  private let path: String
  private var hash = SHA256()
  private let descriptor: Int32

  /// Opens a file for appending.
  ///
  /// - Parameters:
  ///   - path: Its temporary path.
  ///   - keeping: Whether to append to an existing file; else it is truncated.
  /// - Throws: `FileError` if it cannot be read or written, or another process has it.
  package init(_ path: String, keeping: Bool) throws(FileError) {
    self.path = path
    // From here on a failure runs `deinit`, which closes it.
    descriptor = try Self.openLocked(path)
    // Only under the lock: before, another process may be writing.
    if !keeping, ftruncate(descriptor, 0) != 0 { throw FileError("truncate", path: path) }
    let there = try MappedFile(path)
    var all = SHA256()
    size = there.withBytes { bytes in
      all.update(bytes)
      return bytes.count
    }
    hash = all
  }

  private static func openLocked(_ path: String) throws(FileError) -> Int32 {
    while true {
      let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND, to: "create")
      do throws(FileError) {
        try FileLock.take(descriptor, on: path, to: "download to")
      } catch {
        close(descriptor)
        throw error
      }
      if FileLock.isStill(descriptor, at: path) { return descriptor }
      // The other process finished between our open and our lock: the file has its final name.
      close(descriptor)
    }
  }

  deinit {
    // An empty file is removed; under the lock, so that no other process loses its file.
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_size == 0, FileLock.isStill(descriptor, at: path)
    {
      unlink(path)
    }
    FileLock.release(descriptor)
    close(descriptor)
  }

  /// The hash of the file so far.
  package var digest: String { hash.digest() }

  /// Appends bytes.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
    hash.update(bytes)
    size += bytes.count
  }

  /// Truncates the file to nothing.
  package func restart() throws(FileError) {
    if size == 0 { return }
    if ftruncate(descriptor, 0) != 0 { throw FileError("truncate", path: path) }
    (size, hash) = (0, SHA256())
  }

  /// Removes the file; it cannot be appended to any more.
  package func remove() { unlink(path) }

  /// Makes the file durable and gives it its final name.
  package func finish(as final: String) throws(FileError) {
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
    try RegularFile.expect(at: final)
    if rename(path, final) != 0 { throw FileError("rename to", path: final) }
    try AtomicFile.flushFolder(of: final)
  }
}
