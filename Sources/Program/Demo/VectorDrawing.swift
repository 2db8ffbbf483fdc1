import CSVG
package import Images

/// Draws SVG files by Debian's librsvg, which is looked for when the first is drawn.
package enum VectorDrawing {
  /// The Debian package that brings librsvg.
  static let package = "librsvg2-2"

  /// Why nothing can be drawn on this machine; `nil` if it can.
  package static var failure: String? {
    var message = csvg_message()
    return csvg_is_available(&message) ? nil : Self.text(message)
  }

  /// A document on white, as large as its shape allows and in the middle of a square.
  ///
  /// - Parameters:
  ///   - svg: The bytes of the file; files that it refers to are not read.
  ///   - side: Pixels of the square, 1 to 4,096.
  /// - Returns: The square.
  /// - Throws: `DemoError.drawing` when the file is none that librsvg draws.
  package static func image(_ svg: [UInt8], side: Int) throws(DemoError) -> RGBImage {
    try draw(svg, side: side).image
  }

  /// The foreground of a document, what is not white, in the middle of a square with a small margin; a white one as it is.
  ///
  /// - Parameters:
  ///   - svg: The bytes of the file; files that it refers to are not read.
  ///   - page: Pixels of a side of the whole document, 1 to 4,096.
  /// - Returns: A square of another size.
  /// - Throws: `DemoError.drawing` when the file is none that librsvg draws.
  package static func trimmedImage(_ svg: [UInt8], page: Int) throws(DemoError) -> RGBImage {
    let (image, ink) = try draw(svg, side: page)
    guard ink.right > ink.left, ink.bottom > ink.top else { return image }
    return image.squared(
      PictureBox(
        left: Int(ink.left),
        top: Int(ink.top),
        right: Int(ink.right),
        bottom: Int(ink.bottom)
      )
    )
  }

  private static func draw(
    _ svg: [UInt8],
    side: Int
  ) throws(DemoError) -> (image: RGBImage, ink: csvg_box) {
    guard (1...4096).contains(side) else {
      throw .drawing(reason: "\(side) pixels are not 1 to 4096")
    }
    var message = csvg_message()
    var ink = csvg_box()
    var pixels = [UInt8](repeating: 255, count: side * side * 3)
    let drawn = pixels.withUnsafeMutableBufferPointer { pixels in
      csvg_draw(svg, svg.count, Int32(side), pixels.baseAddress, &ink, &message)
    }
    guard drawn else { throw .drawing(reason: text(message)) }
    return (RGBImage(width: side, height: side, pixels: pixels), ink)
  }

  private static func text(_ message: csvg_message) -> String {
    withUnsafeBytes(of: message.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
