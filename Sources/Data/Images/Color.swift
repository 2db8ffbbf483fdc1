/// An opaque colour in sRGB.
package struct Color: Sendable, Hashable {
  /// Red, 0 to 255.
  package let red: UInt8
  /// Green, 0 to 255.
  package let green: UInt8
  /// Blue, 0 to 255.
  package let blue: UInt8

  /// A colour from its three bytes.
  package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A colour as it is written on the web: `Color(hex: 0x1f2933)`.
  package init(hex: UInt32) {
    self.init(UInt8(hex >> 16 & 255), UInt8(hex >> 8 & 255), UInt8(hex & 255))
  }

  /// White.
  package static let white = Color(255, 255, 255)
  /// Black.
  package static let black = Color(0, 0, 0)

  /// As SVG and CSS write it: `#1f2933`.
  package var css: String {
    "#"
      + [red, green, blue].map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined()
  }
}
