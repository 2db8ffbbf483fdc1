/// Which glyph a code point has: the `cmap` table in format 12.
struct CharacterMap {
  private struct Group {
    let first: Int
    let last: Int
    let glyph: Int
  }

  private var groups: [Group] = []

  init(_ table: FontTable) throws(DemoError) {
    for index in 0..<(try table.u16(2)) {
      let subtable = try table.part(at: table.u32(4 + 8 * index + 4))
      guard try subtable.u16(0) == 12 else { continue }
      let count = try subtable.u32(12)
      guard count <= (subtable.count - 16) / 12 else {
        throw table.broken("\(count) groups in \(subtable.count) bytes")
      }
      groups.reserveCapacity(count)
      for index in 0..<count {
        let record = 16 + 12 * index
        let group = Group(
          first: try subtable.u32(record),
          last: try subtable.u32(record + 4),
          glyph: try subtable.u32(record + 8)
        )
        guard group.first <= group.last, group.first > groups.last?.last ?? -1 else {
          throw table.broken("groups that are not in order")
        }
        groups.append(group)
      }
      return
    }
    throw table.broken("no subtable of format 12")
  }

  /// The glyph of a code point; `nil` where the font has none.
  func glyph(_ scalar: Unicode.Scalar) -> Int? {
    let code = Int(scalar.value)
    var (low, high) = (0, groups.count)
    while low < high {
      let middle = (low + high) / 2
      if groups[middle].last < code { low = middle + 1 } else { high = middle }
    }
    guard low < groups.count, groups[low].first <= code else { return nil }
    let glyph = groups[low].glyph + code - groups[low].first
    return glyph <= 0xFFFF ? glyph : nil
  }
}
