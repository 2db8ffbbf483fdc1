import Glibc

/// SHA-256 digests of files, kept in the cache folder while the files do not change.
///
/// An entry holds for a device, an inode, a size and the times of the last change of content and of
/// inode. Only the kernel sets the last one, so that a file whose content was changed and whose date was
/// set back is computed again. It is for naming models, not for checking downloads.
package enum DigestCache {
  /// Two changes within the resolution of a file system's clock have one time.
  static let secondsAtRest = 2

  /// The digest of a whole file: computed, or the one that was kept.
  ///
  /// An entry that cannot be written is no failure.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - cache: The cache folder; without one every digest is computed.
  /// - Returns: 64 lower-case hexadecimal digits.
  /// - Throws: `FileError` if the file cannot be read.
  package static func digest(
    ofFile path: String,
    cache: String? = cacheFolder
  ) throws(FileError) -> String {
    guard let cache, let before = State(of: path) else { return try SHA256.digest(ofFile: path) }
    let folder = cache + "/digests"
    let entry = "\(folder)/\(before.name)"
    if let digest = read(entry, before) { return digest }
    let digest = try SHA256.digest(ofFile: path)
    // A file that was written meanwhile, or just before, may have another content by now.
    guard let after = State(of: path), after == before, after.isAtRest else { return digest }
    do throws(FileError) {
      try makeFolder(folder, mode: 0o700)
      try AtomicFile.write("\(before.text)\n\(digest)\n", to: entry)
    } catch { return digest }
    return digest
  }

  private static func read(_ entry: String, _ state: State) -> String? {
    guard let text = try? OpenedFile(entry).text(upTo: 1024) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 3, lines[0] == state.text, lines[1].utf8.count == 64,
      lines[1].allSatisfy({ $0.isHexDigit && !$0.isUppercase })
    else { return nil }
    return String(lines[1])
  }

  /// What the system says of a file.
  private struct State: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    private let content: [Int]
    private let change: [Int]

    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      content = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
      change = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    /// One entry for a device and inode, which the next file there replaces.
    var name: String { "\(device)-\(inode)" }

    var text: String {
      ([size] + content + change).map(String.init).joined(separator: " ")
    }

    var isAtRest: Bool { change[0] + secondsAtRest < time(nil) }
  }
}
