/// Builds a font of four tables by hand, big-endian as fonts are.
struct TinyFont {
  /// What the two glyphs with pictures hold.
  static let pictures: [Int: [UInt8]] = [5: [0x89, 1, 2, 3], 6: [0x89, 4, 5], 9: [0x89, 6]]

  var tables: [(tag: String, bytes: [UInt8])] = [
    ("CBDT", bitmapData), ("CBLC", bitmapLocations), ("GSUB", substitutions), ("cmap", characters),
  ]

  /// The file.
  var bytes: [UInt8] {
    var directory = u32(0x0001_0000) + u16(tables.count) + u16(0) + u16(0) + u16(0)
    var content: [UInt8] = []
    let start = 12 + 16 * tables.count
    for (tag, bytes) in tables {
      directory += Array(tag.utf8) + u32(0) + u32(start + content.count) + u32(bytes.count)
      content += bytes
    }
    return directory + content
  }

  /// A→1, B→2, U+1F600…U+1F601→5…6, U+200D→3; one subtable of another format before.
  static let characters: [UInt8] = {
    let groups = [(0x41, 0x42, 1), (0x200D, 0x200D, 3), (0x1F600, 0x1F601, 5)]
    let body = groups.flatMap { u32($0.0) + u32($0.1) + u32($0.2) }
    let format12 = u16(12) + u16(0) + u32(16 + body.count) + u32(0) + u32(groups.count) + body
    return u16(0) + u16(2) + u16(0) + u16(5) + u32(20) + u16(3) + u16(10) + u32(22) + u16(14)
      + format12
  }()

  /// Feature ccmp with two lookups: 5 3 6 → 9, and through an extension 1 2 → 5 and 9 1 → 6.
  static let substitutions: [UInt8] = {
    let direct = ligatureSubtable([(5, [([3, 6], 9)])])
    let extended = ligatureSubtable([(1, [([2], 5)]), (9, [([1], 6)])])
    let lookup0 = u16(4) + u16(0) + u16(1) + u16(8) + direct
    let lookup1 = u16(7) + u16(0) + u16(1) + u16(8) + u16(1) + u16(4) + u32(8) + extended
    let lookups = u16(2) + u16(6) + u16(6 + lookup0.count) + lookup0 + lookup1
    let feature = u16(0) + u16(2) + u16(0) + u16(1)
    let features = u16(1) + Array("ccmp".utf8) + u16(8) + feature
    let header = u16(1) + u16(0) + u16(10) + u16(12) + u16(12 + features.count)
    return header + u16(0) + features + lookups
  }()

  private static func ligatureSubtable(
    _ sets: [(first: Int, ligatures: [(rest: [Int], glyph: Int)])]
  ) -> [UInt8] {
    let header = 6 + 2 * sets.count
    let coverage = u16(1) + u16(sets.count) + sets.flatMap { u16($0.first) }
    var offsets: [UInt8] = []
    var bodies: [UInt8] = []
    for set in sets {
      offsets += u16(header + coverage.count + bodies.count)
      var ligatureOffsets: [UInt8] = []
      var ligatures: [UInt8] = []
      for (rest, glyph) in set.ligatures {
        ligatureOffsets += u16(2 + 2 * set.ligatures.count + ligatures.count)
        ligatures += u16(glyph) + u16(rest.count + 1) + rest.flatMap { u16($0) }
      }
      bodies += u16(set.ligatures.count) + ligatureOffsets + ligatures
    }
    return u16(1) + u16(header) + u16(sets.count) + offsets + coverage + bodies
  }

  /// Glyphs 5 and 6 in image format 17, glyph 9 in format 19.
  static let bitmapData: [UInt8] = {
    u32(0x0003_0000) + picture(5, metrics: 5) + picture(6, metrics: 5) + picture(9, metrics: 0)
  }()

  private static func picture(_ glyph: Int, metrics: Int) -> [UInt8] {
    let bytes = pictures[glyph] ?? []
    return [UInt8](repeating: 7, count: metrics) + u32(bytes.count) + bytes
  }

  /// Two strikes; the second is larger and has glyphs 5…6 in index format 1 and 9 in format 3.
  static let bitmapLocations: [UInt8] = {
    let (five, six, nine) = (
      picture(5, metrics: 5).count, picture(6, metrics: 5).count, picture(9, metrics: 0).count
    )
    let index1 = u16(1) + u16(17) + u32(4) + u32(0) + u32(five) + u32(five + six)
    let index3 = u16(3) + u16(19) + u32(4 + five + six) + u16(0) + u16(nine)
    let list =
      u16(5) + u16(6) + u32(16) + u16(9) + u16(9) + u32(16 + index1.count) + index1 + index3
    func strike(offset: Int, count: Int, pixels: UInt8) -> [UInt8] {
      u32(offset) + u32(list.count) + u32(count) + [UInt8](repeating: 0, count: 32)
        + [pixels, pixels, 32, 1]
    }
    return u32(0x0003_0000) + u32(2) + strike(offset: 104, count: 0, pixels: 20)
      + strike(offset: 104, count: 2, pixels: 109) + list
  }()
}

func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

func u32(_ value: Int) -> [UInt8] { u16(value >> 16) + u16(value & 0xFFFF) }
