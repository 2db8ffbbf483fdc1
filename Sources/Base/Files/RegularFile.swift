import Glibc

/// Keeps what is written to plain files.
///
/// To write over a device or through a link that somebody else has put there changes something other
/// than what the path seems to name: a rename would even take a device's place.
package enum RegularFile {
  /// Refuses a path that is taken by something other than a regular file.
  ///
  /// - Throws: `FileError` that says what is there; not where nothing is.
  package static func expect(at path: String, to operation: String = "write") throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    try expect(status, path, operation)
  }

  /// Opens a regular file, never through a link that has its name.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - flags: As of open(2), such as `O_WRONLY | O_CREAT | O_APPEND`.
  ///   - operation: What is tried, for the error.
  /// - Returns: Its descriptor, which is closed when another program is started.
  /// - Throws: `FileError` where the system refuses or something else has the name.
  package static func open(
    _ path: String,
    _ flags: Int32,
    to operation: String = "open"
  ) throws(FileError) -> Int32 {
    // A pipe would be waited for, and some devices act when they are opened.
    try expect(at: path, to: operation)
    let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    if descriptor < 0 { throw FileError(operation, path: path) }
    var status = stat()
    do throws(FileError) {
      if fstat(descriptor, &status) != 0 { throw FileError("inspect", path: path) }
      try expect(status, path, operation)
    } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Cuts a regular file off behind its first bytes.
  package static func cut(_ path: String, to size: Int) throws(FileError) {
    let descriptor = try open(path, O_WRONLY, to: "cut")
    defer { close(descriptor) }
    if ftruncate(descriptor, off_t(size)) != 0 { throw FileError("cut", path: path) }
  }

  private static func expect(
    _ status: stat,
    _ path: String,
    _ operation: String
  ) throws(FileError) {
    let kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: ""
      case S_IFDIR: "a folder"
      case S_IFLNK: "a link"
      case S_IFIFO: "a named pipe"
      case S_IFSOCK: "a socket"
      default: "a device"
      }
    if kind.isEmpty { return }
    throw FileError(
      operation,
      path: path,
      reason: "there is \(kind) of this name; give the name of a file, or of none"
    )
  }
}
