/// How sequences of glyphs become one glyph: the ligatures (lookup type 4) of the `GSUB` table.
///
/// Emoji sequences are joined by the ligatures of the features that are always on; contextual lookups,
/// which only repair sequences that are not standardised, are left out.
struct Ligatures {
  private struct Ligature {
    /// The glyphs after the first one.
    let rest: [Int]
    let glyph: Int
  }

  /// Ligatures by first glyph, in the font's order of preference; one dictionary per lookup.
  private var lookups: [[Int: [Ligature]]] = []
  /// Reads left: a table without overlaps cannot hold more parts than bytes.
  private var work: Int

  init(_ table: FontTable) throws(DemoError) {
    work = table.count
    let lookupList = try table.part(at: table.u16(8))
    let count = try lookupList.u16(0)
    for index in try lookupIndices(table.part(at: table.u16(6))) where index < count {
      try read(lookup: lookupList.part(at: lookupList.u16(2 + 2 * index)))
    }
  }

  /// Replaces what forms a ligature, lookup by lookup.
  func joined(_ glyphs: [Int]) -> [Int] {
    lookups.reduce(glyphs) { glyphs, lookup in
      var result: [Int] = []
      var index = 0
      while index < glyphs.count {
        let rest = glyphs[(index + 1)...]
        if let ligature = lookup[glyphs[index]]?.first(where: { rest.starts(with: $0.rest) }) {
          result.append(ligature.glyph)
          index += 1 + ligature.rest.count
        } else {
          result.append(glyphs[index])
          index += 1
        }
      }
      return result
    }
  }

  private mutating func spend(_ table: FontTable) throws(DemoError) {
    work -= 1
    if work < 0 { throw table.broken("its parts overlap") }
  }

  /// The lookups of the features that are always on, in the order in which they apply.
  private mutating func lookupIndices(_ features: FontTable) throws(DemoError) -> [Int] {
    let tags: Set<[UInt8]> = [Array("ccmp".utf8), Array("rlig".utf8), Array("liga".utf8)]
    var indices: Set<Int> = []
    for index in 0..<(try features.u16(0)) {
      try spend(features)
      let record = 2 + 6 * index
      guard tags.contains(try features.part(at: record, length: 4).bytes) else { continue }
      let feature = try features.part(at: features.u16(record + 4))
      for index in 0..<(try feature.u16(2)) {
        try spend(features)
        indices.insert(try feature.u16(4 + 2 * index))
      }
    }
    return indices.sorted()
  }

  private mutating func read(lookup: FontTable) throws(DemoError) {
    let type = try lookup.u16(0)
    var ligatures: [Int: [Ligature]] = [:]
    for index in 0..<(try lookup.u16(4)) {
      try spend(lookup)
      var subtable = try lookup.part(at: lookup.u16(6 + 2 * index))
      var subtableType = type
      if type == 7 {
        // An extension: the real type and a 32-bit offset.
        subtableType = try subtable.u16(2)
        subtable = try subtable.part(at: subtable.u32(4))
      }
      guard subtableType == 4, try subtable.u16(0) == 1 else { continue }
      try read(ligatures: subtable, into: &ligatures)
    }
    if !ligatures.isEmpty { lookups.append(ligatures) }
  }

  private mutating func read(
    ligatures subtable: FontTable,
    into ligatures: inout [Int: [Ligature]]
  ) throws(DemoError) {
    let count = try subtable.u16(4)
    let covered = try coverage(subtable.part(at: subtable.u16(2)), limit: count)
    for (index, first) in covered.enumerated() {
      let set = try subtable.part(at: subtable.u16(6 + 2 * index))
      for index in 0..<(try set.u16(0)) {
        let ligature = try set.part(at: set.u16(2 + 2 * index))
        let components = try ligature.u16(2)
        guard components >= 1 else { throw subtable.broken("a ligature of nothing") }
        var rest: [Int] = []
        try spend(subtable)
        for component in 0..<components - 1 {
          try spend(subtable)
          rest.append(try ligature.u16(4 + 2 * component))
        }
        ligatures[first, default: []].append(Ligature(rest: rest, glyph: try ligature.u16(0)))
      }
    }
  }

  /// The glyphs of a coverage table, at most `limit` of them.
  private mutating func coverage(
    _ table: FontTable,
    limit: Int
  ) throws(DemoError) -> [Int] {
    let format = try table.u16(0)
    let count = try table.u16(2)
    var glyphs: [Int] = []
    for index in 0..<count where glyphs.count < limit {
      try spend(table)
      switch format {
      case 1: glyphs.append(try table.u16(4 + 2 * index))
      case 2:
        let (first, last) = (try table.u16(4 + 6 * index), try table.u16(6 + 6 * index))
        guard first <= last else { throw table.broken("glyphs \(first) to \(last)") }
        glyphs += (first...last).prefix(limit - glyphs.count)
      default: throw table.broken("coverage format \(format)")
      }
    }
    return glyphs
  }
}
