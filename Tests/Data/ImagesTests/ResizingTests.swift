import Foundation
import Testing

@testable import Images

@Suite struct ResizingTests {
  private struct Case: Decodable {
    let filter: ResampleFilter
    let width: Int
    let height: Int
    let hash: String
  }

  @Test func `every size and filter gives PIL's bytes`() throws {
    let source = try Fixtures.image("decode/photo.png")
    let cases = try JSONDecoder().decode(
      [Case].self,
      from: Data(try Fixtures.bytes("resize.json"))
    )
    #expect(cases.count == 34)
    for one in cases {
      let resized = source.resized(width: one.width, height: one.height, filter: one.filter)
      #expect(
        fnv1a(resized.pixels) == one.hash,
        "\(one.filter) to \(one.width)×\(one.height)"
      )
    }
  }

  @Test func `a wide crop has the pixels that PIL gives it`() throws {
    let source = try Fixtures.image("decode/photo.png")
    let cases = try JSONDecoder().decode([Case].self, from: Data(try Fixtures.bytes("wide.json")))
    #expect(cases.count == 14)
    for one in cases {
      let square = source.centerCroppedWide(
        width: one.width,
        height: one.height,
        filter: one.filter
      )
      #expect(
        square.map { fnv1a($0.pixels) } == one.hash,
        "\(one.filter) to \(one.width)×\(one.height)"
      )
    }
    // Too narrow, and not enough rows.
    #expect(source.centerCroppedWide(width: 212, height: 8) == nil)
    #expect(source.centerCroppedWide(width: 128, height: 91) == nil)
  }

  @Test(arguments: ["001", "003", "011", "025"])
  func `crop and Lanczos give the original dataset's pixels`(number: String) throws {
    let source = try Fixtures.image("goldens/source-\(number).png")
    let packed = source.centerCropped().resized(width: 64, height: 64)
    #expect(difference(packed, try Fixtures.image("goldens/packed-\(number).png")) == nil)
  }

  @Test func `bands of columns give the same bytes as all columns at once`() throws {
    let source = try Fixtures.image("decode/photo.png")
    for (width, height) in [(301, 17), (5, 300), (64, 64), (1, 1), (400, 300)] {
      let whole = source.resized(width: width, height: height)
      for most in [1, 3 * 7 * source.height, 1 << 20] {
        let banded = source.resized(width: width, height: height, mostIntermediateBytes: most)
        #expect(banded == whole, "\(width)×\(height), \(most)")
      }
    }
  }

  @Test func `the box filter takes the mean of whole pixels`() {
    let image = RGBImage(
      width: 4,
      height: 2,
      pixels: [
        0, 0, 0, 10, 20, 30, 255, 255, 255, 255, 255, 255,
        20, 40, 60, 30, 60, 90, 255, 255, 255, 0, 0, 0,
      ]
    )
    // Rows first, rounded: (0 + 10) / 2 = 5, (20 + 30) / 2 = 25; then their mean.
    let half = image.resized(width: 2, height: 1, filter: .box)
    #expect(half.pixels == [15, 30, 45, 192, 192, 192])
  }

  @Test func `one colour stays one colour at any size`() {
    let flat = RGBImage(width: 37, height: 23, filledWith: Color(201, 7, 255))
    for (width, height) in [(1, 1), (5, 80), (64, 64), (38, 22)] {
      let resized = flat.resized(width: width, height: height)
      #expect(resized == RGBImage(width: width, height: height, filledWith: Color(201, 7, 255)))
    }
  }

  @Test func `the crop leaves the odd column at the right`() {
    var pixels: [UInt8] = []
    for y in 0..<2 { for x in 0..<5 { pixels += [UInt8(x), UInt8(y), 0] } }
    let square = RGBImage(width: 5, height: 2, pixels: pixels).centerCropped()
    #expect(square.width == 2 && square.height == 2)
    #expect(square.pixels == [1, 0, 0, 2, 0, 0, 1, 1, 0, 2, 1, 0])
  }

  @Test func `the wide crop lies between black bars`() throws {
    let image = RGBImage(width: 40, height: 40, filledWith: .white)
    let wide = try #require(image.centerCroppedWide(width: 32, height: 24))
    #expect(wide.width == 32 && wide.height == 32)
    for y in 0..<32 {
      #expect(wide[x: 16, y: y] == ((4..<28).contains(y) ? Color.white : Color.black))
    }
  }

  @Test func `the wide crop takes round(width · H / W) rows, half to even`() throws {
    // Row y has the colour y. 8 · 5 / 16 = 2.5 rows, rounded to 2: rows 1 and 2 of 5.
    var pixels: [UInt8] = []
    for y in 0..<5 { pixels += [UInt8](repeating: UInt8(y), count: 3 * 16) }
    let image = RGBImage(width: 16, height: 5, pixels: pixels)
    let wide = try #require(image.centerCroppedWide(width: 8, height: 2))
    #expect((0..<8).map { Int(wide[x: 4, y: $0].red) } == [0, 0, 0, 1, 2, 0, 0, 0])
    #expect(image.centerCroppedWide(width: 8, height: 3) == nil)
    #expect(image.centerCroppedWide(width: 17, height: 1) == nil)
  }

  @Test func `flipping twice gives the picture back`() throws {
    let image = try Fixtures.image("decode/png-rgb.png")
    let flipped = image.flipped()
    #expect(flipped != image)
    #expect(flipped[x: 0, y: 5] == image[x: image.width - 1, y: 5])
    #expect(flipped.flipped() == image)
  }
}
