import CImages

/// How a picture is enlarged.
package enum Enlargement: String, Sendable, Codable, CaseIterable {
  /// Pixels become squares: shows exactly what the network made.
  case nearest
  /// Pixels are interpolated: shows what the picture depicts.
  case lanczos
}

/// Pictures of one size laid out side by side, as `reals.png` and `fakes000012.png` are.
package struct ImageGrid: Sendable {
  /// Pictures per row.
  package let columns: Int
  /// Pixels between pictures and around them.
  package let gap: Int
  /// The colour of gaps and unused cells.
  package let background: Color
  /// By how much each picture is enlarged.
  package let magnification: Int
  /// How.
  package let enlargement: Enlargement

  /// A layout.
  package init(
    columns: Int,
    gap: Int = 0,
    background: Color = .white,
    magnification: Int = 1,
    enlargement: Enlargement = .nearest
  ) {
    precondition(columns > 0, "a grid of \(columns) columns")
    precondition(gap >= 0, "a gap of \(gap) pixels")
    precondition(magnification > 0, "magnification by \(magnification)")
    self.columns = columns
    self.gap = gap
    self.background = background
    self.magnification = magnification
    self.enlargement = enlargement
  }

  /// One picture of all `tiles`, row by row; the last row may be shorter.
  ///
  /// - Parameter tiles: At least one, all of one size.
  /// - Returns: The grid.
  /// - Throws: `ImageError.cannotDraw` where there is no memory for its pixels.
  package func image(of tiles: [RGBImage]) throws(ImageError) -> RGBImage {
    guard let first = tiles.first else { preconditionFailure("a grid of no pictures") }
    for tile in tiles {
      precondition(
        tile.width == first.width && tile.height == first.height,
        "tiles of \(first.width)×\(first.height) and \(tile.width)×\(tile.height) in one grid"
      )
    }
    let width = first.width * magnification
    let height = first.height * magnification
    let rows = (tiles.count + columns - 1) / columns
    let (wide, high) = (columns * (width + gap) + gap, rows * (height + gap) + gap)
    guard cimages_has_memory(3 * wide * high) else { throw .cannotDraw(width: wide, height: high) }
    var result = RGBImage(width: wide, height: high, filledWith: background)
    for (index, tile) in tiles.enumerated() {
      result.paste(
        tile.scaled(width: width, height: height, enlargement),
        x: gap + index % columns * (width + gap),
        y: gap + index / columns * (height + gap)
      )
    }
    return result
  }
}

extension RGBImage {
  /// The picture at another size: reduced by Lanczos, enlarged as asked.
  func scaled(width: Int, height: Int, _ enlargement: Enlargement) -> RGBImage {
    if width == self.width, height == self.height { return self }
    let isEnlarged = width >= self.width && height >= self.height
    if enlargement == .lanczos || !isEnlarged { return resized(width: width, height: height) }
    let size = width * height * 3
    let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<height {
          let row = y * self.height / height * self.width
          for x in 0..<width {
            let from = (row + x * self.width / width) * 3
            let to = (y * width + x) * 3
            for channel in 0..<3 { buffer[to + channel] = source[from + channel] }
          }
        }
      }
      count = size
    }
    return RGBImage(width: width, height: height, pixels: result)
  }
}
