import Images

/// Finds drawings that look like an earlier one: nearly the same bits of a difference hash on a grid of 16²
/// and nearly the same colours on it.
///
/// `PerceptualHash` is for photos: it sees shades of grey, so it would take a red heart for a blue one.
struct SeenPictures {
  private static let grid = 16
  /// Bits of 240 by which two hashes may differ.
  private static let tolerance = 8
  /// The difference of colours on the grid, as a share of the foreground.
  private static let colourTolerance = 0.08

  private var seen: [(hash: SIMD4<UInt64>, colours: [UInt8])] = []

  /// Whether a picture looks like none before it; it counts from now on.
  mutating func insert(_ image: RGBImage) -> Bool {
    let small = image.resized(width: Self.grid, height: Self.grid, filter: .box)
    let hash = Self.hash(small)
    let ink = Double(small.pixels.reduce(0) { $0 + 255 - Int($1) })
    for other in seen where Self.distance(other.hash, hash) <= Self.tolerance {
      let difference = zip(other.colours, small.pixels).reduce(0) {
        $0 + abs(Int($1.0) - Int($1.1))
      }
      if Double(difference) <= Self.colourTolerance * ink { return false }
    }
    seen.append((hash, small.pixels))
    return true
  }

  /// A bit for each pair of neighbours in a row: whether it grows brighter to the right.
  private static func hash(_ image: RGBImage) -> SIMD4<UInt64> {
    var hash = SIMD4<UInt64>()
    for y in 0..<grid {
      for x in 0..<grid - 1 where brightness(image, x + 1, y) > brightness(image, x, y) {
        hash[y / 4] |= 1 << UInt64(y % 4 * grid + x)
      }
    }
    return hash
  }

  private static func brightness(_ image: RGBImage, _ x: Int, _ y: Int) -> Int {
    let color = image[x: x, y: y]
    return Int(color.red) + Int(color.green) + Int(color.blue)
  }

  private static func distance(_ first: SIMD4<UInt64>, _ second: SIMD4<UInt64>) -> Int {
    let different = first ^ second
    return (0..<4).reduce(0) { $0 + different[$1].nonzeroBitCount }
  }
}
