/// The PNG files inside a font: the `CBLC` table says where they lie in `CBDT`.
///
/// Reads index formats 1 and 3 (an offset per glyph) and image formats 17, 18 and 19 (PNG after small,
/// big and no metrics), which are all that colour emoji fonts use.
struct ColorBitmaps {
  /// Size of the images on the font's grid, in pixels per em.
  let pixelsPerEm: Int

  private struct Run {
    let glyphs: ClosedRange<Int>
    let indexFormat: Int
    let imageFormat: Int
    /// The offsets, one more than there are glyphs, counted from `start` in CBDT.
    let offsets: FontTable
    let start: Int
  }

  private let data: FontTable
  private let runs: [Run]

  init(locations: FontTable, data: FontTable) throws(DemoError) {
    let strikes = try locations.u32(4)
    guard strikes >= 1, strikes <= (locations.count - 8) / 48 else {
      throw locations.broken("\(strikes) sizes in \(locations.count) bytes")
    }
    // The largest size is the one to shrink from.
    var best = (index: 0, pixels: -1)
    for index in 0..<strikes {
      let pixels = try locations.u8(8 + 48 * index + 45)
      if pixels > best.pixels { best = (index, pixels) }
    }
    let record = 8 + 48 * best.index
    let list = try locations.part(at: locations.u32(record))
    let count = try locations.u32(record + 8)
    guard count <= list.count / 8 else {
      throw locations.broken("\(count) index tables in \(list.count) bytes")
    }
    var runs: [Run] = []
    for index in 0..<count {
      if let run = try Self.run(list, at: 8 * index) { runs.append(run) }
    }
    self.runs = runs
    self.data = data
    pixelsPerEm = best.pixels
  }

  private static func run(_ list: FontTable, at record: Int) throws(DemoError) -> Run? {
    let (first, last) = (try list.u16(record), try list.u16(record + 2))
    guard first <= last else { throw list.broken("glyphs \(first) to \(last)") }
    let header = try list.part(at: list.u32(record + 4))
    let indexFormat = try header.u16(0)
    guard indexFormat == 1 || indexFormat == 3 else { return nil }
    let width = indexFormat == 1 ? 4 : 2
    return Run(
      glyphs: first...last,
      indexFormat: indexFormat,
      imageFormat: try header.u16(2),
      offsets: try header.part(at: 8, length: width * (last - first + 2)),
      start: try header.u32(4)
    )
  }

  /// The PNG file of a glyph; `nil` where the glyph has none.
  func png(_ glyph: Int) throws(DemoError) -> [UInt8]? {
    guard let run = runs.first(where: { $0.glyphs.contains(glyph) }) else { return nil }
    let index = glyph - run.glyphs.lowerBound
    let isWide = run.indexFormat == 1
    let begin = try isWide ? run.offsets.u32(4 * index) : run.offsets.u16(2 * index)
    let end = try isWide ? run.offsets.u32(4 * index + 4) : run.offsets.u16(2 * index + 2)
    if begin == end { return nil }
    guard begin < end else { throw data.broken("glyph \(glyph) from \(begin) to \(end)") }
    let image = try data.part(at: run.start + begin, length: end - begin)
    let metrics: Int
    switch run.imageFormat {
    case 17: metrics = 5
    case 18: metrics = 8
    case 19: metrics = 0
    default: return nil
    }
    return try image.part(at: metrics + 4, length: image.u32(metrics)).bytes
  }
}
