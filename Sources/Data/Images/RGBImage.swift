/// An 8-bit RGB picture in memory.
///
/// Rows run from top to bottom, pixels from left to right, and the three bytes of a pixel lie side
/// by side, so that the red of pixel (x, y) is `pixels[(y * width + x) * 3]`.
package struct RGBImage: Sendable, Equatable {
  /// Pixels per row, at least 1.
  package let width: Int
  /// Rows, at least 1.
  package let height: Int
  /// The colours, [height, width, 3].
  package internal(set) var pixels: [UInt8]

  /// Wraps pixels that are already in memory, exactly width · height · 3 bytes.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "empty image: \(width)×\(height)")
    precondition(
      pixels.count == width * height * 3,
      "\(width)×\(height) RGB needs \(width * height * 3) bytes, not \(pixels.count)"
    )
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A picture of one colour.
  package init(width: Int, height: Int, filledWith color: Color) {
    var pixels = [UInt8](repeating: color.red, count: width * height * 3)
    if color.green != color.red || color.blue != color.red {
      for index in stride(from: 0, to: pixels.count, by: 3) {
        pixels[index + 1] = color.green
        pixels[index + 2] = color.blue
      }
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// The colour of one pixel.
  package subscript(x x: Int, y y: Int) -> Color {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y),
      "pixel (\(x), \(y)) of a \(width)×\(height) image"
    )
    let index = (y * width + x) * 3
    return Color(pixels[index], pixels[index + 1], pixels[index + 2])
  }
}
