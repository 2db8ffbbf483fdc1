/// 128 bits that change little when a picture is scaled, compressed again or slightly retouched.
///
/// The picture is averaged to 9×9 shades of grey; each bit says whether a shade is lighter than its
/// neighbour on the left (64 bits) or above (64 bits). This is the difference hash (Krawetz, "Kind of
/// like that", 2013) in both directions.
package struct PerceptualHash: Hashable, Sendable {
  /// Comparisons along rows.
  package var rows: UInt64
  /// Comparisons along columns.
  package var columns: UInt64

  /// Number of bits.
  package static let bitCount = 128

  // Less contrast than this, in levels of 255, and the bits would be noise.
  private static let leastContrast = 8
  private static let side = 9

  /// A hash of known bits.
  package init(rows: UInt64, columns: UInt64) {
    (self.rows, self.columns) = (rows, columns)
  }

  /// The hash of a picture; `nil` for one that is nearly one shade all over.
  package init?(_ image: RGBImage) {
    let small = image.resized(width: Self.side, height: Self.side, filter: .box)
    let shades = stride(from: 0, to: small.pixels.count, by: 3).map { start -> Int in
      // The weights of ITU-R BT.601, times 1000.
      let rgb = small.pixels[start..<start + 3]
      return zip([299, 587, 114], rgb).reduce(0) { $0 + $1.0 * Int($1.1) }
    }
    let contrast = (shades.max() ?? 0) - (shades.min() ?? 0)
    if contrast < 1000 * Self.leastContrast { return nil }
    (rows, columns) = (0, 0)
    for y in 0..<8 {
      for x in 0..<8 {
        let here = shades[y * Self.side + x]
        rows = rows << 1 | (shades[y * Self.side + x + 1] > here ? 1 : 0)
        columns = columns << 1 | (shades[(y + 1) * Self.side + x] > here ? 1 : 0)
      }
    }
  }

  /// In how many bits two hashes differ.
  package func distance(to other: PerceptualHash) -> Int {
    (rows ^ other.rows).nonzeroBitCount + (columns ^ other.columns).nonzeroBitCount
  }
}
