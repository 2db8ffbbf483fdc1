import Archives
import Files
import TestSupport
import Testing

/// Streams of zstd, whole and damaged.
@Suite struct ZstdTests {
  /// Thirty times "a red bus" and a line end, as libzstd wrote it.
  private static let frame: [UInt8] = [
    0x28, 0xB5, 0x2F, 0xFD, 0x60, 0x2C, 0x00, 0x8D, 0x00, 0x00, 0x50, 0x61, 0x20, 0x72, 0x65, 0x64,
    0x20,
    0x62, 0x75, 0x73, 0x0A, 0x01, 0x00, 0x1F, 0x55, 0x0B, 0x12,
  ]
  private static let text = Array(String(repeating: "a red bus\n", count: 30).utf8)

  private func decompressed(_ bytes: [UInt8], by count: Int) throws(Inflater.Damage) -> [UInt8] {
    let stream = try ZstdStream(MappedBytes(copying: bytes))
    var text: [UInt8] = []
    while true {
      let piece = try stream.read(count)
      if piece.isEmpty { return text }
      text += piece
      // A damaged frame may ask for much.
      if text.count > 1 << 22 { return text }
    }
  }

  @Test(arguments: [1, 7, 300, 1 << 20])
  func `frames that follow each other are one text, read in any steps`(count: Int) throws {
    #expect(try decompressed(Self.frame, by: count) == Self.text)
    #expect(try decompressed(Self.frame + Self.frame, by: count) == Self.text + Self.text)
    #expect(try decompressed([], by: count).isEmpty)
  }

  @Test func `a frame cut anywhere is an error`() {
    for count in 1..<Self.frame.count {
      let error = #expect(throws: Inflater.Damage.self) {
        try decompressed(Array(Self.frame.prefix(count)), by: 100)
      }
      #expect(error?.reason == "it ends too early", "\(count)")
    }
  }

  @Test func `damaged frames end in an error or in some text`() {
    let inputs = DamagedInputs([Self.frame, Self.frame + Self.frame])
    _ = inputs.read(2000) { _ = try decompressed($0, by: 1 << 16) }
  }
}
