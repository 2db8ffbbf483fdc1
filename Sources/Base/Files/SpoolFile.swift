import Glibc

/// A spool: a temporary file that is appended to through a buffer and mapped when it is complete.
///
/// It is for data that outgrows memory before its final position is known. Not thread-safe: one writer at a
/// time.
package final class SpoolFile {
  /// Bytes appended so far.
  package private(set) var size = 0

  private let descriptor: Int32
  private let path: String
  private var pending: [UInt8] = []
  private var synchronizedSize = 0

  private static let bufferSize = 1 << 18

  /// Opens a nameless spool on the file system of `folder`.
  ///
  /// It is unlinked at once, so nothing is left of it even if the process is killed.
  package init(in folder: String) throws(FileError) {
    path = "\(folder)/.spool-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw FileError("create", path: path) }
    unlink(path)
  }

  /// Opens or creates a named file and truncates it to `size` bytes, to append to them.
  package init(_ path: String, keeping size: Int) throws(FileError) {
    self.path = path
    self.size = size
    descriptor = try RegularFile.open(path, O_RDWR | O_CREAT, to: "create")
    guard ftruncate(descriptor, off_t(size)) == 0, lseek(descriptor, 0, SEEK_END) == size else {
      throw FileError("cut", path: path)
    }
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  package func append(_ bytes: [UInt8]) throws(FileError) {
    pending += bytes
    size += bytes.count
    if pending.count >= Self.bufferSize { try flush() }
  }

  /// Appends bytes of a buffer.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    if bytes.count < Self.bufferSize { return try append(Array(bytes)) }
    try flush()
    try write(bytes)
    size += bytes.count
  }

  /// Maps the appended bytes for reading.
  package func mapped() throws(FileError) -> MappedBytes {
    try flush()
    if size == 0 { return MappedBytes(.init(start: nil, count: 0), owner: Mapping(nil, size: 0)) }
    guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else { throw FileError("map", path: path) }
    let bytes = UnsafeRawBufferPointer(start: base, count: size)
    return MappedBytes(bytes, owner: Mapping(base, size: size))
  }

  /// Makes the appended bytes durable.
  package func synchronize() throws(FileError) {
    if size == synchronizedSize { return }
    try flush()
    if fdatasync(descriptor) != 0 { throw FileError("flush", path: path) }
    synchronizedSize = size
  }

  private func flush() throws(FileError) {
    let failure: FileError? = pending.withUnsafeBytes { buffer in
      do throws(FileError) { try write(buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    pending.removeAll(keepingCapacity: true)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// A mapping that ends with its last reference.
  private final class Mapping: @unchecked Sendable {
    // Sendable: immutable.
    private let base: UnsafeMutableRawPointer?
    private let size: Int

    init(_ base: UnsafeMutableRawPointer?, size: Int) {
      self.base = base
      self.size = size
    }

    deinit { if let base { munmap(base, size) } }
  }
}
