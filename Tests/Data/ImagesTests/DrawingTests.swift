import Foundation
import Images
import Testing

@Suite struct DrawingTests {
  @Test func `half a pixel covered is half the colour`() throws {
    var canvas = try Canvas(width: 4, height: 4, scale: 1)
    canvas.fill(Rectangle(x: 1, y: 1, width: 1.5, height: 2), .black)
    #expect(canvas.image[x: 1, y: 1] == .black && canvas.image[x: 1, y: 2] == .black)
    #expect(canvas.image[x: 2, y: 1] == Color(128, 128, 128))
    #expect(canvas.image[x: 0, y: 1] == .white && canvas.image[x: 3, y: 1] == .white)
    #expect(canvas.image[x: 1, y: 0] == .white && canvas.image[x: 1, y: 3] == .white)
  }

  @Test func `the ink of a circle is its area`() throws {
    var canvas = try Canvas(width: 50, height: 50, scale: 2)
    canvas.fillCircle(at: Point(25.3, 24.8), radius: 20, .black)
    let area = ink(canvas.image) / 4
    #expect(abs(area - .pi * 400) < 6)
  }

  @Test func `a diagonal line has its width and round ends`() throws {
    var canvas = try Canvas(width: 60, height: 60, scale: 1)
    canvas.line([Point(10, 10), Point(50, 40)], .black, width: 4)
    #expect(abs(ink(canvas.image) - (50 * 4 + .pi * 4)) < 4)
    #expect(canvas.image[x: 30, y: 25] == .black)
  }

  @Test func `turns and crossings of a line are covered once`() throws {
    var canvas = try Canvas(width: 40, height: 40, scale: 1, background: .white)
    let zigzag = (0..<30).map { Point(5 + Double($0), $0.isMultiple(of: 2) ? 10 : 30) }
    canvas.line(zigzag, Color(100, 100, 100), width: 3)
    let darkest = canvas.image.pixels.min()
    #expect(darkest == 100)
    for x in 8...30 { #expect(canvas.image[x: x, y: 20] == Color(100, 100, 100)) }
  }

  @Test func `a level line is moved to whole pixels`() throws {
    var canvas = try Canvas(width: 10, height: 10, scale: 1)
    canvas.line([Point(0, 4.3), Point(10, 4.3)], .black, width: 1)
    #expect((0..<10).map { canvas.image[x: 5, y: $0] == .black }.filter { $0 }.count == 1)
    #expect(Set(canvas.image.pixels) == [0, 255])
  }

  @Test func `dashes cover their part of a line`() throws {
    var canvas = try Canvas(width: 100, height: 10, scale: 1)
    canvas.line([Point(0, 5), Point(100, 5)], .black, width: 2, dash: (on: 6, off: 4))
    #expect(abs(ink(canvas.image) - 120) < 2)
  }

  @Test func `drawing outside of the canvas is cut off`() throws {
    var canvas = try Canvas(width: 20, height: 20, scale: 1)
    canvas.fill(Rectangle(x: -1e9, y: -50, width: 2e9, height: 60), .black)
    #expect(canvas.image[x: 0, y: 0] == .black && canvas.image[x: 19, y: 9] == .black)
    #expect(canvas.image[x: 10, y: 10] == .white)
    canvas.line([Point(-1e7, 15), Point(1e7, 15.5)], .black, width: 2)
    canvas.line([Point(.nan, 0), Point(5, .infinity)], .black, width: 2)
    canvas.fillCircle(at: Point(100, 100), radius: 5, .black)
    #expect(canvas.image[x: 10, y: 12] == .white)
  }

  @Test func `a picture is drawn with rounded corners`() throws {
    let red = RGBImage(width: 4, height: 4, filledWith: Color(255, 0, 0))
    var canvas = try Canvas(width: 30, height: 30, scale: 1)
    canvas.draw(red, in: Rectangle(x: 5, y: 5, width: 20, height: 20), radius: 5)
    #expect(canvas.image[x: 15, y: 15] == Color(255, 0, 0))
    #expect(canvas.image[x: 15, y: 5] == Color(255, 0, 0))
    #expect(canvas.image[x: 5, y: 5] == .white)
    #expect(canvas.image[x: 4, y: 15] == .white && canvas.image[x: 25, y: 15] == .white)
  }

  @Test func `a grid puts equal tiles in rows`() throws {
    let colors = [Color(1, 0, 0), Color(2, 0, 0), Color(3, 0, 0), Color(4, 0, 0), Color(5, 0, 0)]
    let tiles = colors.map { RGBImage(width: 3, height: 2, filledWith: $0) }
    let plain = try ImageGrid(columns: 3).image(of: tiles)
    #expect(plain.width == 9 && plain.height == 4)
    #expect(plain[x: 8, y: 1] == colors[2] && plain[x: 0, y: 2] == colors[3])
    #expect(plain[x: 6, y: 2] == .white)

    let spaced = try ImageGrid(columns: 3, gap: 2, background: .black, magnification: 2)
      .image(of: tiles)
    #expect(spaced.width == 3 * 6 + 4 * 2 && spaced.height == 2 * 4 + 3 * 2)
    #expect(spaced[x: 1, y: 1] == .black && spaced[x: 2, y: 2] == colors[0])
    #expect(spaced[x: 10, y: 8] == colors[4] && spaced[x: 15, y: 11] == colors[4])
  }

  @Test func `nearest enlargement makes squares of pixels`() throws {
    let pair = RGBImage(width: 2, height: 1, pixels: [10, 20, 30, 40, 50, 60])
    let grid = try ImageGrid(columns: 1, magnification: 3).image(of: [pair])
    #expect(grid.width == 6 && grid.height == 3)
    for y in 0..<3 {
      for x in 0..<6 {
        #expect(grid[x: x, y: y] == (x < 3 ? Color(10, 20, 30) : Color(40, 50, 60)))
      }
    }
  }

  @Test func `tiles of different sizes stop the program`() async {
    await #expect(processExitsWith: .failure) {
      let a = RGBImage(width: 2, height: 2, filledWith: .white)
      let b = RGBImage(width: 3, height: 2, filledWith: .white)
      _ = try ImageGrid(columns: 2).image(of: [a, b])
    }
  }

  /// How much black there is on white, in pixels.
  private func ink(_ image: RGBImage) -> Double {
    stride(from: 0, to: image.pixels.count, by: 3)
      .reduce(0) { $0 + 1 - Double(image.pixels[$1]) / 255 }
  }
}
