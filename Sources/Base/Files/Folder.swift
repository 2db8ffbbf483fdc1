import Glibc

/// Makes a folder and those above it, if they are not there.
///
/// - Parameters:
///   - path: The folder.
///   - operation: What is tried, as a verb, for the error.
/// - Throws: `FileError` with the system's reason, which names the folder that could not be made.
package func makeFolder(
  _ path: String,
  to operation: String = "create folder"
) throws(FileError) {
  if isFolder(path) { return }
  let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  if !parent.isEmpty { try makeFolder(parent, to: operation) }
  // A path that ends with a slash, or another process that was faster.
  if mkdir(path, 0o777) == 0 || isFolder(path) { return }
  if errno == EEXIST { throw FileError(operation, path: path, reason: "a file is in the way") }
  throw FileError(operation, path: path)
}

/// Whether a path leads to a folder.
package func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether there is anything of a name, a link that leads nowhere included.
package func exists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}
