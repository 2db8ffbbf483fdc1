import Files
import Testing

@Suite("Checksums")
struct CRC32Tests {
  // RFC 3720, appendix B.4.
  @Test(
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      ([UInt8](0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283), ([], 0),
    ] as [([UInt8], UInt32)]
  )
  func `CRC-32C matches the standard's check value`(bytes: [UInt8], expected: UInt32) {
    #expect(bytes.withUnsafeBytes(CRC32C.of) == expected)
    var crc = CRC32C()
    for byte in bytes { [byte].withUnsafeBytes { crc.update($0) } }
    #expect(crc.value == expected)
  }

  // The check value of the catalogue of CRC algorithms (CRC-32/ISO-HDLC); the others from zlib.
  @Test(
    arguments: [
      (Array("123456789".utf8), 0xCBF4_3926), ([0], 0xD202_EF8D), ([], 0),
      ([UInt8](repeating: 0xFF, count: 32), 0xFF6C_AB0B),
    ] as [([UInt8], UInt32)]
  )
  func `CRC-32 matches zlib's, whole, in chunks and of no bytes`(
    bytes: [UInt8],
    expected: UInt32
  ) {
    #expect(bytes.withUnsafeBytes(CRC32.of) == expected)
    var crc = CRC32()
    for byte in bytes {
      [byte].withUnsafeBytes { crc.update($0) }
      crc.update(.init(start: nil, count: 0))
    }
    #expect(crc.value == expected)
  }
}
