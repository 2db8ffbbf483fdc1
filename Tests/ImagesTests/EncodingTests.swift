import Foundation
import Images
import Testing

@Suite struct EncodingTests {
  @Test(arguments: [0, 1, 6, 12]) func `a PNG gives the same pixels back`(level: Int) throws {
    let image = try Fixtures.image("decode/photo.png")
    let png = try image.encodedPNG(level: level)
    #expect(difference(try RGBImage(decoding: png), image) == nil)
    let raw = image.pixels.count + image.height
    #expect(level == 0 ? png.count > raw : png.count < raw)
  }

  @Test func `the smallest PNG has the bytes of the specification`() throws {
    let png = try RGBImage(width: 1, height: 1, pixels: [1, 2, 3]).encodedPNG(level: 0)
    let head: [UInt8] =
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]
      + Array("IHDR".utf8) + [0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde]
    #expect(Array(png.prefix(33)) == head)
    #expect(
      Array(png.suffix(12)) == [0, 0, 0, 0] + Array("IEND".utf8) + [0xae, 0x42, 0x60, 0x82]
    )
  }

  @Test func `a JPEG is near its picture and better with more quality`() throws {
    let image = try Fixtures.image("decode/photo.png").resized(width: 80, height: 60, filter: .box)
    let errors = try [40, 95].map { quality in
      let decoded = try RGBImage(decoding: try image.encodedJPEG(quality: quality))
      let squares = zip(decoded.pixels, image.pixels).map { pair in
        let distance = Double(pair.0) - Double(pair.1)
        return distance * distance
      }
      return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }
    #expect(errors[1] < errors[0] && errors[1] < 14)
  }

  @Test func `a written file appears whole under its name`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "images-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let image = RGBImage(width: 3, height: 2, filledWith: Color(1, 2, 3))
    let path = folder.appending(path: "a.png").path
    try image.write(png: path)
    #expect(try RGBImage(contentsOf: path) == image)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
    #expect(throws: ImageError.self) { try image.write(png: path + "/b.png") }
  }

  @Test func `more than a JPEG can hold is an error that names the size`() throws {
    let long = RGBImage(width: 65_501, height: 1, filledWith: .white)
    #expect(throws: ImageError.cannotEncode(.jpeg, width: 65_501, height: 1)) {
      try long.encodedJPEG()
    }
  }
}
