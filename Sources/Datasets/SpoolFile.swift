import Files
import Glibc

/// A nameless file for data that outgrows memory before its final place is known.
///
/// It has no name from the start, so nothing is left of it even when the process is killed. Not
/// thread-safe: one writer at a time.
final class SpoolFile {
  /// Bytes appended so far.
  private(set) var size = 0

  private let descriptor: Int32
  private let folder: String
  private var pending: [UInt8] = []

  private static let bufferSize = 1 << 18

  /// Opens a spool on the file system of `folder`.
  init(in folder: String) throws(DatasetError) {
    self.folder = folder
    let path = "\(folder)/.spool-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw .file(FileError("create", path: path)) }
    unlink(path)
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  func append(_ bytes: [UInt8]) throws(DatasetError) {
    pending += bytes
    size += bytes.count
    if pending.count >= Self.bufferSize { try flush() }
  }

  /// Maps what was appended, for reading.
  func mapped() throws(DatasetError) -> MappedBytes {
    try flush()
    if size == 0 { return MappedBytes(.init(start: nil, count: 0), owner: Mapping(nil, size: 0)) }
    guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else { throw .file(FileError("map", path: folder)) }
    let bytes = UnsafeRawBufferPointer(start: base, count: size)
    return MappedBytes(bytes, owner: Mapping(base, size: size))
  }

  private func flush() throws(DatasetError) {
    var done = 0
    while done < pending.count {
      let written = pending.withUnsafeBytes { buffer in
        buffer.baseAddress.map { write(descriptor, $0 + done, buffer.count - done) } ?? 0
      }
      if written < 0 && errno == EINTR { continue }
      if written < 0 { throw .file(FileError("write a temporary file in", path: folder)) }
      done += written
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// A mapping that ends with its last user.
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
