import Files

/// Writes a tar archive (POSIX ustar), for exports; it appears under its name in `finish()`.
package final class TarWriter {
  private let file: AtomicFile
  private var pending: [UInt8] = []

  private static let block = 512
  private static let bufferSize = 1 << 20

  /// Starts an archive.
  package init(_ path: String) throws(DatasetError) {
    file = try files { () throws(FileError) in try AtomicFile(path) }
  }

  /// Adds a file; the name has at most 100 bytes.
  package func add(_ name: String, _ bytes: [UInt8]) throws(DatasetError) {
    precondition((1...100).contains(name.utf8.count), "tar name of \(name.utf8.count) bytes")
    pending += Self.header(name, size: bytes.count)
    pending += bytes
    pending += [UInt8](repeating: 0, count: (Self.block - bytes.count % Self.block) % Self.block)
    if pending.count >= Self.bufferSize { try flush() }
  }

  /// Ends the archive and gives it its name.
  package func finish() throws(DatasetError) {
    pending += [UInt8](repeating: 0, count: 2 * Self.block)
    try flush()
    try files { () throws(FileError) in try file.commit() }
  }

  private func flush() throws(DatasetError) {
    try files { () throws(FileError) in try file.write(pending) }
    pending.removeAll(keepingCapacity: true)
  }

  /// A header; sizes that do not fit into eleven octal digits are written in base 256, as GNU tar does.
  static func header(_ name: String, size: Int, type: String = "0") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: Int, width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(name, at: 0)
    put(octal(0o644, width: 7), at: 100)
    put(octal(0, width: 7), at: 108)
    put(octal(0, width: 7), at: 116)
    if size < 1 << 33 {
      put(octal(size, width: 11), at: 124)
    } else {
      header[124] = 0x80
      for place in 0..<8 { header[135 - place] = UInt8(truncatingIfNeeded: size >> (8 * place)) }
    }
    put(octal(0, width: 11), at: 136)  // 1 January 1970: equal input gives equal bytes
    put("        ", at: 148)
    put(type, at: 156)
    put("ustar\u{0}00", at: 257)
    let sum = header.reduce(0) { $0 + Int($1) }
    put(octal(sum, width: 6) + "\u{0} ", at: 148)
    return header
  }
}
