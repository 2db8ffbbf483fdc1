import CFiles

/// The checksum of zip entries, PNG chunks and gzip: CRC-32 (ISO 3309), by libdeflate.
package struct CRC32 {
  /// The checksum of all bytes so far.
  package private(set) var value: UInt32 = 0

  /// The checksum of no bytes.
  package init() {}

  /// The checksum of one buffer.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = CRC32()
    crc.update(bytes)
    return crc.value
  }

  /// Adds the next bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    // For a null pointer libdeflate returns the initial checksum.
    guard let base = bytes.baseAddress else { return }
    value = libdeflate_crc32(value, base, bytes.count)
  }
}
