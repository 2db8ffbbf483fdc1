import Images
import Testing

@Suite struct PerceptualHashTests {
  @Test func `the hash bits follow the 9×9 gradient`() throws {
    // Lighter to the right and downwards by one row in two.
    let pixels = (0..<81).flatMap { index -> [UInt8] in
      let shade = UInt8(20 * (index % 9) + (index / 9 % 2 == 0 ? 0 : 10))
      return [shade, shade, shade]
    }
    let hash = try #require(PerceptualHash(RGBImage(width: 9, height: 9, pixels: pixels)))
    #expect(hash.rows == .max)
    #expect(hash.columns == 0xFF00_FF00_FF00_FF00)
    #expect(hash.distance(to: PerceptualHash(rows: .max, columns: 0)) == 32)
  }

  @Test func `copies have near hashes, other pictures far ones, a plain one none`() throws {
    let photo = try Fixtures.image("decode/photo.png")
    let hash = try #require(PerceptualHash(photo))
    for copy in [
      try RGBImage(decoding: photo.encodedJPEG(quality: 40)),
      photo.resized(width: 100, height: 71, filter: .lanczos),
      try RGBImage(decoding: photo.resized(width: 300, height: 212).encodedWebP(quality: 60)),
    ] {
      #expect(try #require(PerceptualHash(copy)).distance(to: hash) <= 6)
    }
    #expect(try #require(PerceptualHash(photo.flipped())).distance(to: hash) > 30)
    #expect(
      PerceptualHash(RGBImage(width: 9, height: 9, pixels: .init(repeating: 7, count: 243))) == nil
    )
  }
}
