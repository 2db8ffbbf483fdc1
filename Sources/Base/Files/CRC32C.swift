/// The checksum of TensorFlow's records and of old checkpoints: CRC-32C, Castagnoli (RFC 3720, appendix B.4).
///
/// libdeflate lacks it. Slicing-by-8: eight table look-ups per eight bytes, as in Kounavis and Berry, "Novel
/// Table Lookup-Based Algorithms for High-Performance CRC Generation", IEEE ToC 57 (2008).
package struct CRC32C {
  private var state: UInt32 = .max

  /// The checksum of no bytes.
  package init() {}

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  /// The checksum of one buffer.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = CRC32C()
    crc.update(bytes)
    return crc.value
  }

  /// Adds the next bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    state = Self.tables.withUnsafeBufferPointer { table in
      var crc = state
      var offset = 0
      while bytes.count - offset >= 8 {
        let loaded = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let word = UInt64(littleEndian: loaded) ^ UInt64(crc)
        crc =
          table[1792 + Int(word & 0xff)] ^ table[1536 + Int(word >> 8 & 0xff)]
          ^ table[1280 + Int(word >> 16 & 0xff)] ^ table[1024 + Int(word >> 24 & 0xff)]
          ^ table[768 + Int(word >> 32 & 0xff)] ^ table[512 + Int(word >> 40 & 0xff)]
          ^ table[256 + Int(word >> 48 & 0xff)] ^ table[Int(word >> 56)]
        offset += 8
      }
      while offset < bytes.count {
        crc = crc >> 8 ^ table[Int(crc & 0xff) ^ Int(bytes[offset])]
        offset += 1
      }
      return crc
    }
  }

  /// Eight tables of 256: table k holds the effect of a byte followed by k zero bytes.
  private static let tables = {
    // 0x1EDC6F41, reflected.
    let polynomial: UInt32 = 0x82F6_3B78
    var tables: [UInt32] = []
    tables.reserveCapacity(8 * 256)
    for byte in 0..<UInt32(256) {
      var crc = byte
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? polynomial : 0) }
      tables.append(crc)
    }
    for index in 256..<8 * 256 {
      let shorter = tables[index - 256]
      tables.append(shorter >> 8 ^ tables[Int(shorter & 0xff)])
    }
    return tables
  }()
}
