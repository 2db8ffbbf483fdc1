import Foundation
import Images
import TestSupport
import Testing

@Suite struct HostileInputTests {
  private static let files = [
    "jpeg-420.jpg", "jpeg-progressive.jpg", "jpeg-cmyk.jpg", "exif-6.jpg", "png-rgb.png",
    "png-palette-key.png", "png-interlaced-rgba.png", "png-rgb16.png", "webp-lossy.webp",
    "webp-lossless.webp", "webp-alpha.webp", "animated.webp", "gif-interlaced.gif",
    "gif-animated.gif", "gif-noise.gif", "avif-420.avif", "avif-alpha.avif", "avif-sequence.avif",
  ]

  @Test(arguments: files) func `a file cut anywhere is refused`(name: String) throws {
    let whole = try Fixtures.bytes("decode/\(name)")
    // A JPEG without its end marker is cut as well. A PNG may lack its last chunk, of twelve bytes.
    let end = name.hasSuffix(".png") ? whole.count - 12 : whole.count
    for length in stride(from: 0, to: end, by: max(1, whole.count / 120)) {
      #expect(throws: ImageError.self, "first \(length) of \(whole.count) bytes") {
        _ = try RGBImage(decoding: Array(whole.prefix(length)))
      }
    }
    #expect(throws: ImageError.self) { _ = try RGBImage(decoding: Array(whole.prefix(end - 1))) }
    let image = try RGBImage(decoding: whole)
    for length in end..<whole.count {
      #expect(try RGBImage(decoding: Array(whole.prefix(length))) == image)
    }
  }

  @Test(arguments: files) func `damaged bytes give a picture or an error`(name: String) throws {
    let whole = try Fixtures.bytes("decode/\(name)")
    var generator = SeededGenerator(state: 11)
    var refused = 0
    let rounds = mutationRounds
    for _ in 0..<rounds {
      let damaged = mutated(whole, using: &generator)
      do {
        let image = try RGBImage(
          decoding: damaged,
          limits: DecodeLimits(maximumPixels: 1 << 20),
          appliesOrientation: true
        )
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch {
        refused += 1
        #expect(!"\(error)".contains("\n"))
      }
    }
    #expect(refused > rounds / 50)
  }

  @Test(arguments: files) func `a check takes and refuses what the decoder does`(
    name: String
  ) throws {
    let whole = try Fixtures.bytes("decode/\(name)")
    let limits = DecodeLimits(maximumPixels: 1 << 20)
    func reason(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return "\(error)" }
      return nil
    }
    var generator = SeededGenerator(state: 23)
    var inputs = (0..<mutationRounds / 2).map { _ in mutated(whole, using: &generator) }
    inputs += stride(from: 1, through: whole.count, by: max(1, whole.count / 60)).map {
      Array(whole.prefix($0))
    }
    for input in inputs + [whole] {
      let decoded = reason { _ = try RGBImage(decoding: input, limits: limits) }
      let checked = reason {
        try input.withUnsafeBytes { try RGBImage.expectDecodable($0, limits: limits) }
      }
      #expect(decoded == checked)
    }
    #expect(reason { try whole.withUnsafeBytes { try RGBImage.expectDecodable($0) } } == nil)
  }

  @Test func `a header that asks for too much is refused before memory is taken`() throws {
    var png = try Fixtures.bytes("decode/png-rgb.png")
    png.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0])  // 100,000 squared
    repairChecksum(&png)
    #expect(
      throws: ImageError.tooManyPixels(width: 100_000, height: 100_000, limit: 178_956_970)
    ) { try RGBImage(decoding: png) }

    // Within the limit, but no file of this length can hold so many pixels.
    png.replaceSubrange(16..<24, with: [0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10])  // 10,000 squared
    repairChecksum(&png)
    #expect(
      throws: ImageError.truncated(.png, reason: "the file is too short for its size in pixels")
    ) { try RGBImage(decoding: png) }

    var jpeg = try Fixtures.bytes("decode/jpeg-420.jpg")
    let frame = try #require(jpeg.firstRange(of: [0xff, 0xc0])).lowerBound
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
    #expect { try RGBImage(decoding: jpeg) } throws: { error in
      "\(error)" == "image of 65500×65500 pixels: the limit is 178956970 pixels"
    }
  }

  @Test func `text inside a PNG costs nothing however long it says it is`() throws {
    let png = try Fixtures.bytes("decode/png-rgb.png")
    let text = [UInt8](repeating: 0x78, count: 20 << 20)
    var chunk: [UInt8] = withUnsafeBytes(of: UInt32(text.count).bigEndian) { [UInt8]($0) }
    chunk += Array("zTXt".utf8) + text + [0, 0, 0, 0]
    let long = Array(png[..<33]) + chunk + Array(png[33...])
    // The checksum of what is skipped does not matter either.
    let expected = try Fixtures.image("decode/png-rgb.rgb.png")
    #expect(difference(try RGBImage(decoding: long), expected) == nil)
  }

  @Test func `a JPEG too short for its size is refused at once`() throws {
    var jpeg = try Fixtures.bytes("decode/jpeg-progressive.jpg")
    let frame = try #require(jpeg.firstRange(of: [0xff, 0xc2])).lowerBound
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0x30, 0x00, 0x30, 0x00])  // 12,288 squared
    #expect { try RGBImage(decoding: jpeg) } throws: { error in
      "\(error)".hasPrefix("truncated JPEG")
    }
  }

  @Test func `the limit is the last size that passes`() throws {
    let bytes = try Fixtures.bytes("decode/webp-lossy.webp")
    #expect(throws: Never.self) {
      try RGBImage(decoding: bytes, limits: DecodeLimits(maximumPixels: 61 * 43))
    }
    #expect(throws: ImageError.tooManyPixels(width: 61, height: 43, limit: 61 * 43 - 1)) {
      try RGBImage(decoding: bytes, limits: DecodeLimits(maximumPixels: 61 * 43 - 1))
    }
  }

  @Test(arguments: [
    ("", "an empty file"), ("GIF88a..........", "GIF"),
    ("<!DOCTYPE html><html>", "an HTML or XML page"), ("  <svg xmlns=''>", "SVG"),
    ("hello world, this is text", "something else"),
  ])
  func `a file that is not an image is described`(text: String, looks: String) {
    #expect(throws: ImageError.unknownFormat(looks)) {
      try RGBImage(decoding: Array(text.utf8))
    }
  }

  @Test func `of an animated WebP the first picture is read, at its offset on the canvas`() throws {
    let first = try Fixtures.image("decode/webp-lossless.webp")
    let animated = try Fixtures.image("decode/animated.webp")
    #expect(animated.width == first.width && animated.height == first.height)
    let distance = zip(animated.pixels, first.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    #expect(distance / first.pixels.count < 16)

    var own = try AnimatedWebP(width: 32, height: 16)
    let red = RGBImage(width: 32, height: 16, pixels: (0..<512).flatMap { _ in [200, 0, 0] })
    try own.append(red, milliseconds: 10)
    try own.append(
      RGBImage(width: 32, height: 16, pixels: .init(repeating: 0, count: 1536)),
      milliseconds: 10
    )
    var file = own.file
    #expect(try RGBImage(decoding: file)[x: 20, y: 8].red > 150)
    // A frame that reaches beyond the canvas is refused.
    let frame = try #require(
      file.indices.dropLast(4).first { file[$0..<$0 + 4].elementsEqual("ANMF".utf8) }
    )
    file[frame + 8] = 1
    #expect(throws: ImageError.self) { try RGBImage(decoding: file) }
  }

  /// NIFTY_MUTATIONS=8000 runs about a hundred thousand in all.
  private var mutationRounds: Int {
    ProcessInfo.processInfo.environment["NIFTY_MUTATIONS"].flatMap(Int.init) ?? 400
  }

  /// Flips bits, overwrites, cuts, repeats: a few of these at random offsets.
  private func mutated(
    _ bytes: [UInt8],
    using generator: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let offset = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0..<4: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 4: bytes[offset] = [0, 0xff, 0x7f, 0x80].randomElement(using: &generator) ?? 0
      case 5: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
      case 6:
        let end = min(bytes.count, offset + Int.random(in: 1...40, using: &generator))
        bytes.insert(contentsOf: bytes[offset..<end], at: offset)
      default:
        let end = min(bytes.count, offset + Int.random(in: 1...40, using: &generator))
        if end - offset < bytes.count { bytes.removeSubrange(offset..<end) }
      }
    }
    // A wrong checksum would hide most damage to a PNG from the code behind it.
    if bytes.count > 33, bytes.starts(with: [0x89, 0x50]) { repairChecksum(&bytes) }
    return bytes
  }

  /// Recomputes the checksum of every PNG chunk that is whole.
  private func repairChecksum(_ png: inout [UInt8]) {
    var position = 8
    while position + 12 <= png.count {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = position + 8 + length
      guard end + 4 <= png.count else { return }
      let checksum = crc32(png[position + 4..<end])
      for byte in 0..<4 { png[end + byte] = UInt8(checksum >> UInt32(24 - 8 * byte) & 255) }
      position = end + 4
    }
  }

  private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
