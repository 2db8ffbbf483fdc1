import Foundation
import Images
import TestSupport
import Testing

@Suite struct EncodingTests {
  @Test func `24 frames of an animation at 24 a second last 1,000 milliseconds`() {
    let lengths = (0..<24).map {
      AnimatedWebP.milliseconds(of: $0..<$0 + 1, framesPerSecond: 24)
    }
    #expect(lengths.prefix(3) == [42, 41, 42])
    #expect(lengths.reduce(0, +) == 1000)
    #expect(AnimatedWebP.milliseconds(of: 3..<6, framesPerSecond: 4) == 750)
  }

  @Test(arguments: [0, 1, 6, 12]) func `a PNG gives the same pixels back`(level: Int) throws {
    let image = try Fixtures.image("decode/photo.png")
    let png = try image.encodedPNG(level: level)
    #expect(difference(try RGBImage(decoding: png), image) == nil)
    let raw = image.pixels.count + image.height
    #expect(level == 0 ? png.count > raw : png.count < raw)
  }

  @Test func `a PNG of any size and content is read by libpng as it was`() throws {
    var random = SeededGenerator(state: 21)
    for (width, height) in [(1, 1), (2, 1), (1, 7), (17, 40), (258, 3), (513, 90), (400, 300)] {
      for kind in 0..<6 {
        var value = 0
        let pixels = (0..<width * height * 3).map { index -> UInt8 in
          switch kind {
          case 0: return 77  // nothing but runs
          case 1: value = Int.random(in: 0...255, using: &random)  // no code is shorter
          case 2: value += Int.random(in: -3...3, using: &random)  // few symbols
          case 3: value = index / 3 % 97 < 60 ? 9 : Int.random(in: 0...40, using: &random)
          case 4: value = index / 600 % 2 == 0 ? Int.random(in: 0...255, using: &random) : 5
          default: value = index * index / 700
          }
          return UInt8(truncatingIfNeeded: value)
        }
        let image = RGBImage(width: width, height: height, pixels: pixels)
        for level in [1, 2] {
          let back = try RGBImage(decoding: image.encodedPNG(level: level))
          #expect(back == image, "\(width)×\(height), kind \(kind), level \(level)")
        }
      }
    }
  }

  @Test func `a quick PNG of a photo or a chart has hardly more bytes than a thorough one`() throws
  {
    let photo = try Fixtures.image("decode/photo.png")
    let lines = (0..<300 * 200).flatMap { index -> [UInt8] in
      index % 300 % 30 == 0 || index / 300 % 20 == 0 ? [60, 60, 60] : [255, 255, 255]
    }
    let chart = RGBImage(width: 300, height: 200, pixels: lines)
    for image in [photo, chart] {
      let (quick, thorough) = (try image.encodedPNG(level: 2), try image.encodedPNG(level: 6))
      #expect(Double(quick.count) < 1.03 * Double(thorough.count))
    }
  }

  @Test func `a lossless WebP of what looks like a photo has fewer bytes than any PNG`() throws {
    var random = SeededGenerator(state: 1)
    let coarse = (0..<8 * 8 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
    let smooth = RGBImage(width: 8, height: 8, pixels: coarse).resized(width: 128, height: 128)
    var pixels = smooth.pixels
    for index in pixels.indices {
      pixels[index] = UInt8(clamping: Int(pixels[index]) + Int.random(in: -3...3, using: &random))
    }
    let image = RGBImage(width: 128, height: 128, pixels: pixels)
    let webp = try image.encodedLosslessWebP()
    #expect(difference(try RGBImage(decoding: webp), image) == nil)
    #expect(try webp.count < image.encodedPNG(level: 12).count)
    let long = RGBImage(width: 16_384, height: 1, filledWith: .white)
    #expect(throws: ImageError.cannotEncode(.webp, width: 16_384, height: 1)) {
      try long.encodedLosslessWebP()
    }
  }

  @Test func `a lossless WebP of any size and content is read by libwebp as it was`() throws {
    var random = SeededGenerator(state: 9)
    let sizes = [
      (1, 1), (2, 1), (1, 7), (3, 3), (17, 40), (64, 64), (513, 9), (5, 1030), (1200, 2),
    ]
    for (width, height) in sizes {
      for kind in 0..<6 {
        let count = width * height * 3
        var value = 0
        let pixels = (0..<count).map { index -> UInt8 in
          switch kind {
          case 0: return UInt8.random(in: 0...255, using: &random)
          case 1: return [10, 200, 30][index % 3]
          case 2: return UInt8(truncatingIfNeeded: index / 3)
          // Long runs that end at odd offsets, and codes of very unequal lengths.
          case 3: return index / 3 % 1009 < 5 ? UInt8.random(in: 0...255, using: &random) : 7
          case 4:
            return UInt8(
              truncatingIfNeeded: Int.random(in: 1...1 << 20, using: &random).leadingZeroBitCount
            )
          default:
            value += Int.random(in: -3...3, using: &random)
            return UInt8(truncatingIfNeeded: value)
          }
        }
        let image = RGBImage(width: width, height: height, pixels: pixels)
        let webp = try image.encodedLosslessWebP()
        let back = try RGBImage(decoding: webp)
        #expect(back == image, "\(width)×\(height), kind \(kind)")
      }
    }
  }

  /// The filters that a PNG of level 0 uses, one a row, read from its single stored block.
  private func filters(of image: RGBImage) throws -> [UInt8] {
    let png = try image.encodedPNG(level: 0)
    // Signature and IHDR 33, chunk head 8, zlib head 2, block head 5.
    return (0..<image.height).map { png[48 + $0 * (3 * image.width + 1)] }
  }

  @Test func `each row takes the filter with the smallest sum`() throws {
    var random = SeededGenerator(state: 3)
    let noise = (0..<96).map { _ in UInt8.random(in: 0...255, using: &random) }
    // Noise with a little other noise (up: Paeth is now and then misled), one colour below noise
    // (sub), a ramp in both directions of which each pixel is left + above − corner (Paeth is near
    // it, the others are not).
    var pixels = noise + noise.map { $0 &+ UInt8.random(in: 0...30, using: &random) }
    pixels += [UInt8](repeating: 200, count: 96)
    for row in 0..<2 { pixels += (0..<96).map { UInt8(5 * ($0 / 3) + 80 * row) } }
    let image = RGBImage(width: 32, height: 5, pixels: pixels)
    let filters = try filters(of: image)
    #expect((filters[1], filters[2], filters[4]) == (2, 1, 4))
    #expect(difference(try RGBImage(decoding: image.encodedPNG()), image) == nil)
  }

  @Test func `every filter is undone, at every width`() throws {
    var random = SeededGenerator(state: 5)
    var seen: Set<UInt8> = []
    for width in 1...40 {
      for smoothness in [1, 8, 64] {
        var value = 128
        let pixels = (0..<width * 9 * 3).map { _ -> UInt8 in
          value += Int.random(in: -255 / smoothness...255 / smoothness, using: &random)
          return UInt8(truncatingIfNeeded: value)
        }
        let image = RGBImage(width: width, height: 9, pixels: pixels)
        #expect(difference(try RGBImage(decoding: image.encodedPNG()), image) == nil)
        seen.formUnion(try filters(of: image))
      }
    }
    #expect(seen == [1, 2, 3, 4])
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

  @Test func `an animation beyond the 32 bits of its size is refused, not written damaged`() throws
  {
    var animation = try AnimatedWebP(width: 16, height: 16, largestFile: 400)
    let noise = RGBImage(width: 16, height: 16, pixels: (0..<768).map { UInt8($0 * 97 % 256) })
    try animation.append(noise, milliseconds: 10)
    let error = #expect(throws: ImageError.self) {
      for _ in 0..<9 { try animation.append(noise, milliseconds: 10) }
    }
    #expect(error == .animationTooLarge(frames: animation.count, limit: 400))
    // What was added before is a whole file.
    #expect(animation.file.count <= 400)
    #expect(try RGBImage(decoding: animation.file).width == 16)
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
    let folder = try TemporaryFolder()
    let image = RGBImage(width: 3, height: 2, filledWith: Color(1, 2, 3))
    let path = folder.file("a.png")
    try image.write(png: path)
    #expect(try RGBImage(contentsOf: path) == image)
    #expect(folder.contents == ["a.png"])
    #expect(throws: ImageError.self) { try image.write(png: path + "/b.png") }
  }

  @Test func `more than a JPEG can hold is an error that names the size`() throws {
    let long = RGBImage(width: 65_501, height: 1, filledWith: .white)
    #expect(throws: ImageError.cannotEncode(.jpeg, width: 65_501, height: 1)) {
      try long.encodedJPEG()
    }
  }
}
