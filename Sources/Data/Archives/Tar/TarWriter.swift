package import Files

/// Writes a tar archive (POSIX ustar), for exports; it appears under its name in `finish()`.
package final class TarWriter {
  private let file: AtomicFile
  private var pending: [UInt8] = []

  private static let bufferSize = 1 << 20

  /// Starts an archive.
  package init(_ path: String) throws(FileError) {
    file = try AtomicFile(path)
  }

  /// Adds a file; the name has at most 100 bytes.
  package func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    precondition((1...100).contains(name.utf8.count), "tar name of \(name.utf8.count) bytes")
    bytes.withUnsafeBytes { pending += Tar.entry(name, $0) }
    if pending.count >= Self.bufferSize { try flush() }
  }

  /// Ends the archive and gives it its name.
  package func finish() throws(FileError) {
    pending += Tar.end
    try flush()
    try file.commit()
  }

  private func flush() throws(FileError) {
    try file.write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
