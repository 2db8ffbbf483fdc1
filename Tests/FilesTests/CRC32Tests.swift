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
  func `Castagnoli's is that of the standard`(bytes: [UInt8], expected: UInt32) {
    #expect(bytes.withUnsafeBytes(CRC32.castagnoli) == expected)
    var crc = CRC32(.castagnoli)
    for byte in bytes { [byte].withUnsafeBytes { crc.update($0) } }
    #expect(crc.value == expected)
  }
}
