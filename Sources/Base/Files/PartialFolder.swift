import Foundation

/// A folder that gets its name only when it is complete.
///
/// Until then it is `.NAME.partial` beside its final path. The leftovers of a killed run are removed by the
/// next one; a lock keeps two runs apart.
package final class PartialFolder {
  /// The temporary path, for files.
  package let path: String
  private let final: String
  private let descriptor: Int32

  /// Recreates the folder.
  ///
  /// - Throws: `FileError` if the final name is taken, the folder cannot be made, or another process is
  ///   filling it.
  package init(_ final: String) throws {
    self.final = final
    guard !FileManager.default.fileExists(atPath: final) else {
      throw FileError(
        "write",
        path: final,
        reason: "it is there already; remove it or give another --dest"
      )
    }
    try refuseAddress(final, to: "write")
    let url = URL(filePath: final)
    path = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).partial").path
    try makeFolder(path)
    // Through a link it would empty a folder elsewhere.
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor < 0 { throw FileError("open folder", path: path) }
    try FileLock.take(descriptor, on: final, to: "write")
    for name in try listFolder(path) {
      try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  deinit {
    FileLock.release(descriptor)
    close(descriptor)
  }

  /// The path of a file in the folder, whose parent folders are made.
  package func makePath(of name: String) throws -> String {
    let file = "\(path)/\(name)"
    try makeFolder(URL(filePath: file).deletingLastPathComponent().path)
    return file
  }

  /// Gives the folder its name.
  ///
  /// - Throws: `FileError` if it was taken meanwhile.
  package func finish() throws(FileError) {
    if rename(path, final) != 0 { throw FileError("rename to", path: final) }
    try AtomicFile.flushFolder(of: final)
  }
}
