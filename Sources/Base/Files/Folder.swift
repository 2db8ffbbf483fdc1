package import Glibc

/// Makes a folder and the missing ones above it.
///
/// - Parameters:
///   - path: The folder.
///   - operation: The operation as a verb, for the error.
///   - mode: The permissions of the made folders, less the process's mask.
/// - Throws: `FileError` with the system's reason, which names the folder that could not be made.
package func makeFolder(
  _ path: String,
  to operation: String = "create folder",
  mode: mode_t = 0o777
) throws(FileError) {
  if isFolder(path) { return }
  if path.isEmpty { throw FileError(operation, path: "without a name", reason: "give it one") }
  try refuseAddress(path, to: operation)
  let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  if !parent.isEmpty { try makeFolder(parent, to: operation, mode: mode) }
  if mkdir(path, mode) == 0 { return }
  let code = errno
  // It may exist by now: another process was faster, or the path ends with a slash.
  if isFolder(path) { return }
  if code == EEXIST { throw FileError(operation, path: path, reason: "a file is in the way") }
  throw FileError(operation, path: path, code: code)
}

/// Whether a path names a folder.
package func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether a path exists, a dangling link included.
package func exists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

/// The names in a folder, sorted by their bytes.
///
/// - Throws: `FileError` with the system's reason, as for a missing folder.
package func listFolder(_ path: String) throws(FileError) -> [String] {
  guard let stream = opendir(path) else { throw FileError("list folder", path: path) }
  defer { closedir(stream) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = readdir(stream) else { break }
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  if errno != 0 { throw FileError("list folder", path: path) }
  return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// The names in a folder; none if it is missing.
///
/// - Throws: `FileError` if the folder exists and cannot be read.
package func listFolder(ifThere path: String) throws(FileError) -> [String] {
  do { return try listFolder(path) } catch {
    if error.code == ENOENT || error.code == ENOTDIR { return [] }
    throw error
  }
}
