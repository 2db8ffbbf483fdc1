import Demo
import Foundation
import Testing

@Suite struct ColorEmojiFontTests {
  @Test func `finds pictures by code point in both index formats`() throws {
    let font = try ColorEmojiFont(bytes: TinyFont().bytes)
    #expect(font.pixelsPerEm == 109)
    #expect(font.glyph("😀") == 5)
    #expect(try font.png("😀") == TinyFont.pictures[5])
    #expect(try font.png("😁") == TinyFont.pictures[6])
    #expect(font.glyph("A") == 1)
    #expect(try font.png("A") == nil)
    #expect(font.glyph("C") == nil)
    #expect(font.glyph("") == nil)
  }

  @Test func `joins sequences through plain and extended ligatures`() throws {
    let font = try ColorEmojiFont(bytes: TinyFont().bytes)
    #expect(font.glyph("😀\u{200D}😁") == 9)
    #expect(font.glyph("😀\u{FE0F}\u{200D}😁\u{FE0F}") == 9)
    #expect(try font.png("😀\u{200D}😁") == TinyFont.pictures[9])
    // The second lookup works on the result of the first.
    #expect(font.glyph("😀\u{200D}😁A") == 6)
    #expect(font.glyph("AB") == 5)
    // What does not join is more than one glyph.
    #expect(font.glyph("😀😁") == nil)
  }

  @Test(arguments: ["CBDT", "CBLC", "GSUB", "cmap"])
  func `a font without a table names it`(tag: String) {
    var font = TinyFont()
    font.tables.removeAll { $0.tag == tag }
    #expect {
      try ColorEmojiFont(bytes: font.bytes)
    } throws: { error in
      "\(error)".contains(tag)
    }
  }

  @Test func `tables that overlap themselves are refused`() {
    // A ligature subtable whose 2000 sets are all the same set of 2000 ligatures: 4 million from 16 kB.
    let many = 2000
    let set = 6 + 2 * many + 4 + 6
    let ligature = 2 + 2 * many
    var subtable = u16(1) + u16(6 + 2 * many) + u16(many)
    for _ in 0..<many { subtable += u16(set) }
    subtable += u16(2) + u16(1) + u16(0) + u16(many - 1) + u16(0)
    subtable += u16(many)
    for _ in 0..<many { subtable += u16(ligature) }
    subtable += u16(1) + u16(1)
    let lookups = u16(1) + u16(4) + u16(4) + u16(0) + u16(1) + u16(8) + subtable
    let features = u16(1) + Array("ccmp".utf8) + u16(8) + u16(0) + u16(1) + u16(0)
    var font = TinyFont()
    font.tables[2].bytes =
      u16(1) + u16(0) + u16(10) + u16(10) + u16(10 + features.count) + features + lookups
    #expect {
      try ColorEmojiFont(bytes: font.bytes)
    } throws: { error in
      "\(error)".contains("overlap")
    }
  }

  @Test func `every truncation and every damaged byte is harmless`() {
    let whole = TinyFont().bytes
    for count in 0..<whole.count { use(Array(whole[..<count])) }
    for index in whole.indices {
      for value: UInt8 in [0, 1, 0x7F, 0xFF] where whole[index] != value {
        var bytes = whole
        bytes[index] = value
        use(bytes)
      }
    }
    #expect(throws: (any Error).self) { try ColorEmojiFont(bytes: Array(whole.dropLast(9))) }
  }

  private func use(_ bytes: [UInt8]) {
    guard let font = try? ColorEmojiFont(bytes: bytes) else { return }
    for text in ["A", "AB", "😀", "😁", "😀\u{200D}😁"] { _ = try? font.png(text) }
  }

  @Test func `a missing font says what to install`() {
    #expect {
      try ColorEmojiFont("/nowhere/NotoColorEmoji.ttf")
    } throws: { error in
      "\(error)".contains("apt-get install fonts-noto-color-emoji")
    }
  }

  @Test(.enabled(if: Installed.font, "fonts-noto-color-emoji is not installed"))
  func `reaches sequences in the installed font`() throws {
    let font = try ColorEmojiFont()
    #expect(font.pixelsPerEm == 109)
    let sequences = [
      "🚒", "👩‍🚒", "🐈‍⬛", "#️⃣", "🏳️‍🌈", "🇯🇵", "👍🏽", "👨‍👩‍👧‍👦", "❤️‍🔥", "🧑🏿‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    ]
    var glyphs: Set<Int> = []
    for sequence in sequences {
      glyphs.insert(try #require(font.glyph(sequence), "\(sequence)"))
      let png = try #require(try font.png(sequence), "\(sequence)")
      #expect(png.prefix(4) == [0x89, 0x50, 0x4E, 0x47], "\(sequence)")
    }
    #expect(glyphs.count == sequences.count)
  }
}

/// Which Debian packages there are.
enum Installed {
  static let font = FileManager.default.fileExists(atPath: ColorEmojiFont.debianPath)
  static let names = FileManager.default.fileExists(atPath: Annotations.debianFolder)
  static let both = font && names
}
