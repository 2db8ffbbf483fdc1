import CFiles
import Glibc
import Synchronization

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a hidden temporary file (`.NAME.PID-N.partial`) in the same folder. `commit()` flushes it to
/// the disk, renames it to the final name and flushes the folder, so that a crash at any moment leaves
/// either the old file or the new one. Without a commit the temporary file is removed.
///
/// Not thread-safe: one writer at a time.
package final class AtomicFile {
  /// The flush interval of a run's large files in bytes: at a quarter of a megabyte a second a flush still
  /// ends within half a minute.
  package static let runInterval = 8 << 20

  /// The final name.
  package let path: String
  /// Bytes written so far.
  package private(set) var size = 0

  private let flushInterval: Int?
  private var unflushed = 0
  private let partialPath: String
  private var descriptor: Int32
  private var committed = false

  /// Opens the temporary file for writing.
  ///
  /// - Parameters:
  ///   - path: The final name; its folder must exist.
  ///   - flushInterval: Flushes after so many bytes, which bounds the time of a call on a slow disk; only at
  ///     the end if `nil`.
  /// - Throws: `FileError` if the folder is missing or not writable, or the name is that of a folder, a link,
  ///   a pipe or a device.
  package init(_ path: String, flushInterval: Int? = nil) throws(FileError) {
    precondition(flushInterval.map { $0 > 0 } ?? true, "a flush after no bytes")
    self.path = path
    self.flushInterval = flushInterval
    partialPath = Self.partialPath(for: path)
    try RegularFile.expect(at: path)
    descriptor = open(partialPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw FileError("create", path: path) }
    _ = Self.unfinished.withLock { $0.insert(partialPath) }
  }

  // The temporary files of this process.
  private static let unfinished = Mutex<Set<String>>([])

  /// Removes the temporary files of all uncommitted files, before the process exits at once.
  package static func discardUnfinished() {
    unfinished.withLock { for path in $0 { unlink(path) } }
  }

  deinit { discard() }

  /// Appends all of `bytes`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    precondition(descriptor >= 0, "write to a finished file: \(path)")
    var rest = bytes
    while !rest.isEmpty {
      let most = flushInterval.map { $0 - unflushed } ?? .max
      let count = min(rest.count, most)
      try writeAll(.init(rebasing: rest.prefix(count)), to: descriptor, path: path)
      rest = .init(rebasing: rest.dropFirst(count))
      try flush(after: count)
    }
    size += bytes.count
  }

  private func flush(after count: Int) throws(FileError) {
    guard let flushInterval else { return }
    unflushed += count
    guard unflushed >= flushInterval else { return }
    if fdatasync(descriptor) != 0 { throw FileError("flush", path: path) }
    unflushed = 0
  }

  /// Appends all of `bytes`.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    let failure: FileError? = bytes.withUnsafeBytes { buffer in
      do throws(FileError) { try write(buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }

  /// Makes the file durable and gives it its final name.
  package func commit() throws(FileError) {
    precondition(descriptor >= 0, "commit of a finished file: \(path)")
    if fsync(descriptor) != 0 { throw FileError("flush", path: path) }
    if close(descriptor) != 0 {
      descriptor = -1
      throw FileError("close", path: path)
    }
    descriptor = -1
    try RegularFile.expect(at: path)
    if rename(partialPath, path) != 0 { throw FileError("rename to", path: path) }
    committed = true
    _ = Self.unfinished.withLock { $0.remove(partialPath) }
    try Self.flushFolder(of: path)
  }

  /// Removes the temporary file, unless it was committed.
  package func discard() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if committed { return }
    unlink(partialPath)
    _ = Self.unfinished.withLock { $0.remove(partialPath) }
  }

  /// Writes a whole file at once, atomically.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole text file at once, atomically, as UTF-8.
  package static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  private static func partialPath(for path: String) -> String {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { path[...$0] } ?? ""
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    return "\(folder).\(name).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial"
  }

  /// Makes a rename in the folder of `path` durable.
  package static func flushFolder(of path: String) throws(FileError) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open folder", path: folder) }
    defer { close(descriptor) }
    // Some network file systems refuse to flush a folder; the rename itself still holds there.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS {
      throw FileError("flush folder", path: folder)
    }
  }

  /// Exchanges two files or folders of one file system, atomically.
  ///
  /// - Returns: Whether it was done; `false` if one is missing or the file system does not support it.
  package static func exchange(_ one: String, _ other: String) -> Bool {
    files_exchange(one, other) == 0
  }
}
