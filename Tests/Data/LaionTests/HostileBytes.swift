/// Bodies that claim or contain more than they should.
enum HostileBytes {
  /// A PNG header that claims a size, with a right checksum, and nothing behind it.
  static func pngClaiming(_ width: UInt32, _ height: UInt32) -> [UInt8] {
    var header = Array("IHDR".utf8)
    for side in [width, height] { header += (0..<4).map { UInt8(side >> (24 - 8 * $0) & 255) } }
    header += [8, 2, 0, 0, 0]
    let crc = crc32(header)
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + header
      + (0..<4).map { UInt8(crc >> (24 - 8 * $0) & 255) } + [0, 0, 0, 99] + Array("IDAT".utf8)
  }

  /// A baseline JPEG's beginning that claims a size.
  static func jpegClaiming(_ side: UInt16) -> [UInt8] {
    let (high, low) = (UInt8(side >> 8), UInt8(side & 255))
    return [0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, high, low, high, low, 3]
      + [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0] + [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]
  }

  /// Gzip (RFC 1952) around a deflate stream; nobody reads as far as the length at its end.
  static func gzip(_ deflated: [UInt8], crc: UInt32 = 0, count: Int = 0) -> [UInt8] {
    let end = [crc, UInt32(count)].flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 255) } }
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + deflated + end
  }

  /// Zlib (RFC 1950) around a deflate stream.
  static func zlib(_ deflated: [UInt8]) -> [UInt8] { [0x78, 0x9C] + deflated + [0, 0, 0, 0] }

  /// Up to 65535 bytes as one stored block (RFC 1951, section 3.2.4).
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    let (low, high) = (UInt8(bytes.count & 255), UInt8(bytes.count >> 8))
    return [1, low, high, ~low, ~high] + bytes
  }

  /// Four megabytes of zeros in a few kilobytes: one literal, then copies of 258 bytes at distance 1,
  /// thirteen bits each in the fixed code (RFC 1951, section 3.2.6).
  static func bomb() -> [UInt8] {
    var bits: [UInt8] = [1, 1, 0] + [0, 0, 1, 1, 0, 0, 0, 0]
    for _ in 0..<(4 << 20) / 258 { bits += [1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0] }
    return stride(from: 0, to: bits.count - 7, by: 8).map { start in
      (0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) }
    }
  }

  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1
      }
    }
  }

  /// A GIF of `side` rows and columns that ends after its first code.
  static func gifClaiming(_ side: Int) -> [UInt8] {
    let size = [UInt8(side & 255), UInt8(side >> 8), UInt8(side & 255), UInt8(side >> 8)]
    return Array("GIF89a".utf8) + size + [0, 0, 0, 0x2C, 0, 0, 0, 0] + size
      + [0, 2, 1, 0x4C, 0, 0x3B]
  }
}
