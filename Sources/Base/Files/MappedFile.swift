import CSignals
import Glibc

/// A file mapped into memory for reading: opened at once whatever its size, paged in on demand.
///
/// The mapping is private and read-only and lives as long as the object. nifty's own files are replaced by
/// rename, which leaves a mapping intact. A file that another program truncates, or whose disk fails, ends
/// the process with one line that names it; so does a precondition that fails because a file was
/// overwritten in place.
package final class MappedFile: @unchecked Sendable {
  // Sendable: immutable after init.

  /// The file's path.
  package let path: String
  /// The file's bytes.
  package let bytes: UnsafeRawBufferPointer
  private let slot: Int32

  private static let isWatching: Void = csignals_watch_mappings()

  /// Maps a whole file.
  ///
  /// - Parameters:
  ///   - path: The file's path, for errors too.
  ///   - system: The path as bytes with a final zero, if it is not UTF-8.
  /// - Throws: `FileError` if it cannot be opened, is no regular file, or cannot be mapped.
  package init(_ path: String, system: [CChar]? = nil) throws(FileError) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK
    let descriptor = system.map { open($0, flags) } ?? open(path, flags)
    if descriptor < 0 { throw FileError("open", path: path) }
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw FileError("inspect", path: path) }
    if let kind = RegularFile.otherKind(status) {
      throw FileError("open", path: path, reason: "\(kind), not a file")
    }
    let size = Int(status.st_size)
    self.path = path
    if size == 0 {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      slot = -1
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw FileError("map", path: path) }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
    Self.isWatching
    slot = csignals_add_mapping(base, size, path)
  }

  deinit {
    csignals_remove_mapping(slot)
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// Calls `body` with the bytes and keeps the file mapped meanwhile.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// Releases pages; reading them again takes the disk.
  package func release(_ range: Range<Int>) { MappedBytes(self).release(range) }

  /// Advises the system that the whole file will be read soon.
  package func adviseWillNeed() {
    guard let base = bytes.baseAddress else { return }
    _ = madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_WILLNEED)
  }
}
