import Glibc

/// Writes files that are flushed and renamed later, in batches.
///
/// `AtomicFile` flushes each file by itself, which costs more than a small image. A split flushes its file
/// system once per batch instead, before any file of the batch gets its final name.
package enum ScratchFile {
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let descriptor = try RegularFile.open(path, O_WRONLY | O_CREAT | O_TRUNC, to: "create")
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor, path: path)
  }

  // syncfs(2) is a GNU extension that Swift's Glibc module lacks, so it is looked up by name.
  private static let flush: @Sendable (Int32) -> Int32 = {
    guard let symbol = dlsym(nil, "syncfs") else {
      return { _ in
        sync()
        return 0
      }
    }
    let function = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
    return { function($0) }
  }()

  /// Flushes everything written to the file system that holds `folder`.
  package static func flushFileSystem(of folder: String) throws(FileError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open folder", path: folder) }
    defer { close(descriptor) }
    if flush(descriptor) != 0 { throw FileError("flush", path: folder) }
  }
}
