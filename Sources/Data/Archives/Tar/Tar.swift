import Text

/// How plain files stand in a tar archive: POSIX.1-1988 (ustar), names of at most 100 bytes.
package enum Tar {
  /// Headers and contents begin at multiples of it.
  package static let blockSize = 512
  /// Two blocks of zeros end an archive.
  package static let end = [UInt8](repeating: 0, count: 2 * blockSize)

  /// An entry: its header, its bytes, and zeros up to the next block.
  package static func entry(_ name: String, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    precondition((1...100).contains(name.utf8.count), "tar name of \(name.utf8.count) bytes")
    let padding = (blockSize - bytes.count % blockSize) % blockSize
    return header(name, size: bytes.count) + bytes + [UInt8](repeating: 0, count: padding)
  }

  /// A header; sizes that do not fit into eleven octal digits are written in base 256, as GNU tar does.
  package static func header(_ name: String, size: Int, type: String = "0") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: blockSize)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: Int, width: Int) -> String { zeroPadded(value, to: width, radix: 8) }
    put(name, at: 0)
    put(octal(0o644, width: 7), at: 100)
    put(octal(0, width: 7), at: 108)
    put(octal(0, width: 7), at: 116)
    if size < 1 << 33 {
      put(octal(size, width: 11), at: 124)
    } else {
      header[124] = 0x80
      for byte in 0..<8 { header[135 - byte] = UInt8(truncatingIfNeeded: size >> (8 * byte)) }
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
