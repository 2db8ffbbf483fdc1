import Files
import Foundation
import Images
import TestSupport
import Testing

@Suite struct DecodingTests {
  @Test(arguments: [
    "jpeg-420.jpg", "jpeg-444.jpg", "jpeg-422.jpg", "jpeg-progressive.jpg", "jpeg-grey.jpg",
    "jpeg-cmyk.jpg", "jpeg-ycck.jpg", "png-rgb.png", "png-palette.png", "png-grey.png",
    "png-bilevel.png", "png-rgba.png", "png-grey-alpha.png", "png-palette-key.png",
    "png-rgb-key.png", "png-rgb16.png", "png-grey16.png", "png-interlaced.png",
    "png-interlaced-rgba.png",
    "webp-lossy.webp", "webp-lossless.webp", "webp-alpha.webp", "webp-lossless-alpha.webp",
    "gif-plain.gif", "gif-interlaced.gif", "gif-grey.gif", "gif-bilevel.gif",
    "gif-transparent.gif", "gif-animated.gif", "gif-noise.gif", "gif-offset.gif",
    "avif-444.avif", "avif-420.avif", "avif-grey.avif", "avif-alpha.avif", "avif-sequence.avif",
  ])
  func `every variant decodes to PIL's pixels`(name: String) throws {
    let stem = name.prefix { $0 != "." }
    let decoded = try Fixtures.image("decode/\(name)")
    let expected = try Fixtures.image("decode/\(stem).rgb.png")
    #expect(difference(decoded, expected) == nil)
  }

  @Test func `a PNG written by hand has the pixels that its bytes say`() throws {
    // Rows 0 and 1 of png-grey16: 0, 1040, 2080… as 16-bit grey, of which the high byte counts.
    let image = try Fixtures.image("decode/png-grey16.png")
    #expect(image.width == 7 && image.height == 9)
    for index in 0..<63 {
      let grey = UInt8((index * 1040) >> 8)
      #expect(image[x: index % 7, y: index / 7] == Color(grey, grey, grey))
    }
  }

  @Test func `alpha can be dropped as PIL drops it`() throws {
    let bytes = try Fixtures.bytes("decode/png-rgba.png")
    let dropped = try RGBImage(decoding: bytes, alpha: .dropAsPIL)
    #expect(difference(dropped, try Fixtures.image("decode/png-rgb.rgb.png")) == nil)
    let webp = try Fixtures.bytes("decode/webp-lossless-alpha.webp")
    #expect(
      difference(
        try RGBImage(decoding: webp, alpha: .dropAsPIL),
        try Fixtures.image("decode/png-rgb.rgb.png")
      ) == nil
    )
  }

  @Test(arguments: 1...8) func `EXIF orientation is applied on request only`(value: Int) throws {
    let bytes = try Fixtures.bytes("decode/exif-\(value).jpg")
    let upright = try RGBImage(decoding: bytes, appliesOrientation: true)
    #expect(upright.width == 24 && upright.height == 16)
    #expect(isNear(upright[x: 4, y: 4], Color(255, 0, 0)))
    #expect(isNear(upright[x: 12, y: 4], Color(0, 255, 0)))
    #expect(isNear(upright[x: 4, y: 12], Color(0, 0, 255)))
    #expect(isNear(upright[x: 20, y: 12], Color(0, 0, 0)))
    let stored = try RGBImage(decoding: bytes)
    #expect(stored.width == (value >= 5 ? 16 : 24))
    #expect((stored == upright) == (value == 1))
  }

  @Test(arguments: 1...8)
  func `EXIF orientation is applied to PNG and WebP as to JPEG`(value: Int) throws {
    var pixels: [UInt8] = []
    for pixel in 0..<24 * 16 { pixels += [UInt8(pixel % 24 * 10), UInt8(pixel / 24 * 15), 7] }
    let image = RGBImage(width: 24, height: 16, pixels: pixels)
    let orientation = try #require(Orientation(rawValue: value))
    // One entry: tag 0x0112, a short.
    let entry: [UInt8] = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(value), 0, 0]
    let head: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1]
    let tiff: [UInt8] = head + entry + [0, 0, 0, 0]

    var png = try image.encodedPNG()
    let length: [UInt8] = [0, 0, 0, UInt8(tiff.count)]
    // libpng passes over chunks that it does not know without their checksum.
    var crc: [UInt8] = Array("eXIf".utf8) + tiff
    let sum = crc.withUnsafeBytes { CRC32.of($0) }
    crc += (0..<4).map { (byte: Int) -> UInt8 in
      UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(byte)))
    }
    png.insert(contentsOf: length + crc, at: 33)

    let plain = try image.encodedLosslessWebP()
    func little(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var extended: [UInt8] = Array("VP8X".utf8) + little(10, 4) + [8, 0, 0, 0]
    extended += little(23, 3) + little(15, 3)
    var note: [UInt8] = Array("EXIF".utf8) + little(tiff.count + 6, 4)
    note += Array("Exif\0\0".utf8) + tiff
    var body: [UInt8] = Array("WEBP".utf8) + extended
    body += plain.dropFirst(12) + note
    let webp: [UInt8] = Array("RIFF".utf8) + little(body.count, 4) + body
    for file in [png, webp] {
      let upright = try RGBImage(decoding: file, appliesOrientation: true)
      #expect(difference(upright, image.turned(orientation)) == nil)
      #expect(difference(try RGBImage(decoding: file), image) == nil)
    }
  }

  @Test(arguments: 1...8)
  func `an AVIF stands as its container says, also unasked`(value: Int) throws {
    let image = try Fixtures.image("decode/turned-\(value).avif")
    #expect(image.width == 24 && image.height == 16)
    #expect(isNear(image[x: 4, y: 4], Color(255, 0, 0)))
    #expect(isNear(image[x: 12, y: 4], Color(0, 255, 0)))
    #expect(isNear(image[x: 4, y: 12], Color(0, 0, 255)))
    #expect(isNear(image[x: 20, y: 12], Color(0, 0, 0)))
  }

  @Test func `the probe reads format and size without decoding`() throws {
    let jpeg = try ImageHeader.probe(try Fixtures.bytes("decode/jpeg-420.jpg"))
    #expect(jpeg.format == .jpeg && jpeg.width == 61 && jpeg.height == 43 && !jpeg.hasAlpha)
    let png = try ImageHeader.probe(try Fixtures.bytes("decode/png-palette-key.png"))
    #expect(png.format == .png && png.width == 61 && png.height == 43 && png.hasAlpha)
    let webp = try ImageHeader.probe(try Fixtures.bytes("decode/webp-alpha.webp"))
    #expect(webp.format == .webp && webp.width == 61 && webp.height == 43 && webp.hasAlpha)
    let gif = try ImageHeader.probe(try Fixtures.bytes("decode/gif-offset.gif"))
    #expect(gif.format == .gif && gif.width == 80 && gif.height == 60 && gif.hasAlpha)
    let avif = try ImageHeader.probe(try Fixtures.bytes("decode/avif-alpha.avif"))
    #expect(avif.format == .avif && avif.width == 61 && avif.height == 43 && avif.hasAlpha)
  }

  @Test func `a file is read by its content whatever its name says`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("really-a-webp.jpg")
    try Data(try Fixtures.bytes("decode/webp-lossless.webp")).write(to: URL(filePath: path))
    let image = try RGBImage(contentsOf: path)
    #expect(difference(image, try Fixtures.image("decode/webp-lossless.rgb.png")) == nil)
    #expect { try RGBImage(contentsOf: path + ".missing") } throws: { error in
      "\(error)".hasPrefix("cannot open \(path).missing: No such file")
    }
  }

  private func isNear(_ a: Color, _ b: Color) -> Bool {
    abs(Int(a.red) - Int(b.red)) < 16 && abs(Int(a.green) - Int(b.green)) < 16
      && abs(Int(a.blue) - Int(b.blue)) < 16
  }
}
