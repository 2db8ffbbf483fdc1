import CFiles
package import Glibc

/// Restricts writing to regular files.
///
/// Writing to a device, or through a link that somebody else made, changes something else than the path
/// seems to name: a rename would even replace a device.
package enum RegularFile {
  /// Refuses a path of anything but a regular file; a path of nothing is fine.
  ///
  /// - Throws: `FileError` naming the kind of what is there.
  package static func expect(at path: String, to operation: String = "write") throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    try expect(status, path, operation)
  }

  /// Refuses a path under which no file could be written, before time is spent on what belongs there.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - appending: Whether an existing file is added to; else it is replaced, which its folder must permit.
  /// - Throws: `FileError` if the path is empty or of something else than a file, or its folder is missing or
  ///   may not be written to.
  package static func expectPlace(for path: String, appending: Bool = false) throws(FileError) {
    if path.isEmpty {
      throw FileError("write", path: "a file without a name", reason: "give it one")
    }
    try refuseAddress(path, to: "write")
    try expect(at: path)
    if appending, exists(path) {
      if access(path, W_OK) != 0 { throw FileError("write", path: path) }
      return
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    if access(folder, W_OK | X_OK) != 0 { throw FileError("create", path: path) }
  }

  /// Opens a regular file, never through a link.
  ///
  /// The path is inspected before it is opened, and the inspected file is opened: opening a pipe would wait,
  /// some devices act when they are opened, and the path may name another file by then.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - flags: As of open(2), such as `O_WRONLY | O_CREAT | O_APPEND`.
  ///   - operation: The operation as a verb, for the error.
  /// - Returns: Its descriptor, closed on exec.
  /// - Throws: `FileError` if the system refuses or the path is of no regular file.
  package static func open(
    _ path: String,
    _ flags: Int32,
    to operation: String = "open"
  ) throws(FileError) -> Int32 {
    while true {
      let handle = Glibc.open(path, Int32(files_path_only) | O_NOFOLLOW | O_CLOEXEC)
      if handle >= 0 {
        defer { close(handle) }
        return try reopen(handle, path, flags, operation)
      }
      guard errno == ENOENT, flags & O_CREAT != 0 else { throw FileError(operation, path: path) }
      let new = Glibc.open(path, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
      if new >= 0 { return new }
      // Another process made it first.
      if errno != EEXIST { throw FileError(operation, path: path) }
    }
  }

  /// Opens the file of a descriptor without rights (O_PATH).
  private static func reopen(
    _ handle: Int32,
    _ path: String,
    _ flags: Int32,
    _ operation: String
  ) throws(FileError) -> Int32 {
    var status = stat()
    if fstat(handle, &status) != 0 { throw FileError("inspect", path: path) }
    try expect(status, path, operation)
    if flags & O_EXCL != 0 { throw FileError(operation, path: path, code: EEXIST) }
    let descriptor = Glibc.open("/proc/self/fd/\(handle)", flags & ~O_CREAT | O_CLOEXEC)
    if descriptor < 0 { throw FileError(operation, path: path) }
    return descriptor
  }

  /// Truncates a regular file to its first bytes.
  package static func cut(_ path: String, to size: Int) throws(FileError) {
    let descriptor = try open(path, O_WRONLY, to: "cut")
    defer { close(descriptor) }
    if ftruncate(descriptor, off_t(size)) != 0 { throw FileError("cut", path: path) }
  }

  /// The kind of what is no regular file, as "a folder"; `nil` for a regular file.
  package static func otherKind(_ status: stat) -> String? {
    switch status.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFLNK: "a link"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }

  /// Refuses to read what is there and no regular file; links are followed, and a path of nothing is fine.
  ///
  /// For libraries that open a path themselves: opening a named pipe waits for a writer for ever.
  ///
  /// - Throws: `FileError` naming the kind of what is there.
  package static func expectReadable(_ path: String) throws(FileError) {
    var status = stat()
    guard stat(path, &status) == 0, let kind = otherKind(status) else { return }
    throw FileError("open", path: path, reason: "\(kind), not a file")
  }

  private static func expect(
    _ status: stat,
    _ path: String,
    _ operation: String
  ) throws(FileError) {
    guard let kind = otherKind(status) else { return }
    throw FileError(
      operation,
      path: path,
      reason: "there is \(kind) of this name; give the name of a file, or of none"
    )
  }
}
