import Testing

@testable import Images

/// Lines of text in the order in which they are drawn: what is expected was worked out by hand after UAX #9.
@Suite("Directions of text")
struct VisualRunsTests {
  /// The line as it is read from left to right on paper.
  private func drawn(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var line = String.UnicodeScalarView()
    for run in VisualRuns.of(scalars.map(\.value)) {
      let part = scalars[run.range]
      line.append(contentsOf: run.isRightToLeft ? Array(part.reversed()) : Array(part))
    }
    return String(line)
  }

  @Test(arguments: [
    ("", ""),
    ("a red heart", "a red heart"),
    ("日本語 cat", "日本語 cat"),
    // Hebrew letters alef, bet, gimel: the first one stands at the right.
    ("\u{5d0}\u{5d1}\u{5d2}", "\u{5d2}\u{5d1}\u{5d0}"),
    // Hebrew within English stays where it is.
    ("a \u{5d0}\u{5d1} b", "a \u{5d1}\u{5d0} b"),
    // English in Hebrew: the line begins at the right, the English reads from left to right.
    ("\u{5d0}\u{5d1} cat \u{5d2}", "\u{5d2} cat \u{5d1}\u{5d0}"),
    // Numbers in Hebrew read from left to right.
    ("\u{5d0} 123 \u{5d1}", "\u{5d1} 123 \u{5d0}"),
    // Arabic letters, and two numbers.
    ("\u{627}\u{628} 12 34", "34 12 \u{628}\u{627}"),
  ])
  func `each line is drawn in its directions`(text: String, paper: String) {
    // The numbers' own order in Arabic depends on what stands between: spaces make them two runs.
    #expect(drawn(text).unicodeScalars.map(\.value) == paper.unicodeScalars.map(\.value))
  }

  @Test func `every scalar is in one run, whatever the text`() {
    // Marks, embeddings, isolates and brackets in any order.
    let letters: [UInt32] = [
      0x61, 0x5d0, 0x627, 0x31, 0x661, 0x28, 0x29, 0x20, 0x200f, 0x202b, 0x202c, 0x2067, 0x2069,
      0x300,
    ]
    var state: UInt64 = 7
    for length in 0..<400 {
      let text = (0..<length).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return letters[Int(state >> 33) % letters.count]
      }
      let covered = VisualRuns.of(text).flatMap(\.range).sorted()
      #expect(covered == Array(0..<length))
    }
  }

  @Test func `letters from right to left are placed from right to left`() throws {
    let fonts = try FontBook.system(drawing: [])
    func shape(_ text: String) -> ShapedText {
      ShapedText(text, size: 20, weight: .regular, fonts: fonts)
    }
    // Brackets are mirrored and swap their positions; they are in every font.
    let line = shape("\u{5d0}(")
    let alone = shape(")")
    #expect(line.glyphs.first?.index == alone.glyphs.first?.index)
    #expect(line.glyphs.first?.x == 0 && (line.glyphs.last?.x ?? 0) > 0)
  }
}
