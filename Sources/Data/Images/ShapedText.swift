import CImages

/// A line of text as positioned glyphs.
struct ShapedText {
  /// A glyph, its font, and where its origin lies from the start of the line, in points.
  struct Glyph {
    let font: Font
    let index: UInt32
    let x: Double
    let y: Double
  }

  private(set) var glyphs: [Glyph] = []
  /// The advance of the whole line, in points.
  private(set) var width = 0.0
  private let size: Double

  /// Shapes `text` in runs of one font and one direction each, with kerning and ligatures.
  ///
  /// Line breaks, tabs and control characters count as spaces.
  init(_ text: String, size: Double, weight: FontWeight, fonts: FontBook) {
    self.size = size
    let scalars = text.unicodeScalars.map { Self.isBlank($0) ? " " : $0 }
    let values = scalars.map(\.value)
    var lineFonts: [Font?] = []
    for scalar in scalars {
      // A space belongs to the word before it: the spaces of Japanese fonts are wide.
      let before = scalar == " " ? lineFonts.last ?? nil : nil
      lineFonts.append(before ?? fonts.font(for: scalar, weight))
    }
    for run in VisualRuns.of(values) {
      let parts = Self.sameFont(run.range, lineFonts)
      for part in run.isRightToLeft ? parts.reversed() : parts {
        append(Array(values[part]), lineFonts[part.lowerBound], run.isRightToLeft)
      }
    }
  }

  /// The parts of a range that have one font each.
  private static func sameFont(_ range: Range<Int>, _ fonts: [Font?]) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = range.lowerBound
    for end in range.dropFirst() + [range.upperBound]
    where end == range.upperBound || fonts[end] !== fonts[start] {
      parts.append(start..<end)
      start = end
    }
    return parts
  }

  /// Adds the outlines of all glyphs, the baseline starting at `origin`.
  ///
  /// - Parameters:
  ///   - outline: Where they go, in pixels.
  ///   - origin: In points.
  ///   - scale: Pixels per point.
  ///   - weight: Bold letters are thickened where the font has none.
  func add(to outline: inout Outline, at origin: Point, scale: Double, weight: FontWeight) {
    var pieces: [cimages_segment] = []
    for glyph in glyphs {
      pieces.removeAll(keepingCapacity: true)
      let count = cimages_font_outline(glyph.font.handle, glyph.index, nil, 0)
      pieces = [cimages_segment](unsafeUninitializedCapacity: count) { buffer, filled in
        let written = cimages_font_outline(
          glyph.font.handle,
          glyph.index,
          buffer.baseAddress,
          count
        )
        filled = min(written, count)
      }
      let factor = Float(size * scale / glyph.font.unitsPerEm)
      let isThickened = weight == .bold && glyph.font.needsThickening
      for shift in isThickened ? [-0.014, 0.014] : [0] {
        let x = Float((origin.x + glyph.x + shift * size) * scale)
        let y = Float((origin.y + glyph.y) * scale)
        for piece in pieces {
          outline.add(
            cimages_segment(
              x0: x + piece.x0 * factor,
              y0: y - piece.y0 * factor,
              x1: x + piece.x1 * factor,
              y1: y - piece.y1 * factor
            )
          )
        }
      }
    }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar.value == 0xa0
      || scalar.properties.isWhitespace && scalar.value != 0x3000
  }

  private mutating func append(_ scalars: [UInt32], _ font: Font?, _ isRightToLeft: Bool) {
    guard let font, !scalars.isEmpty else { return }
    // Shaping may make more glyphs than characters, by decomposition, but never many more.
    let capacity = scalars.count * 4 + 16
    let shaped = [cimages_glyph](unsafeUninitializedCapacity: capacity) { buffer, count in
      let total = cimages_font_shape(
        font.handle,
        scalars,
        scalars.count,
        isRightToLeft,
        buffer.baseAddress,
        capacity
      )
      count = min(total, capacity)
    }
    let factor = size / font.unitsPerEm
    for glyph in shaped {
      glyphs.append(
        Glyph(
          font: font,
          index: glyph.glyph,
          x: width + Double(glyph.x_offset) * factor,
          y: -Double(glyph.y_offset) * factor
        )
      )
      width += Double(glyph.advance) * factor
    }
  }
}
