extension RGBImage {
  /// A rectangle cut out of the picture.
  package func cropped(x: Int, y: Int, width: Int, height: Int) -> RGBImage {
    precondition(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= self.width
        && y + height <= self.height,
      "crop \(width)×\(height) at (\(x), \(y)) of a \(self.width)×\(self.height) image"
    )
    if width == self.width, height == self.height { return self }
    let size = width * height * 3
    let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      pixels.withUnsafeBufferPointer { source in
        for row in 0..<height {
          let start = ((y + row) * self.width + x) * 3
          let slice = source[start..<start + width * 3]
          _ = UnsafeMutableBufferPointer(rebasing: buffer[(row * width * 3)...])
            .initialize(from: slice)
        }
      }
      count = size
    }
    return RGBImage(width: width, height: height, pixels: result)
  }

  /// The square of the short side in the middle; an odd remainder goes to the right and bottom.
  package func centerCropped() -> RGBImage {
    let side = min(width, height)
    return cropped(x: (width - side) / 2, y: (height - side) / 2, width: side, height: side)
  }

  /// A central strip of the full width, resized to `width`×`height` and laid between black bars
  /// so that the result is a square of side `width`.
  ///
  /// The strip has as many rows as the picture would have if it were scaled to `width`, that is
  /// round(width · H / W), as the released StyleGAN2-ADA tool takes it. So only pictures that are
  /// `width` wide keep their proportions.
  ///
  /// - Returns: `nil` when the picture is narrower than `width`, or the strip lower than `height`.
  package func centerCroppedWide(
    width: Int,
    height: Int,
    filter: ResampleFilter = .lanczos
  ) -> RGBImage? {
    precondition(0 < height && height <= width, "a strip of \(width)×\(height)")
    let exact = Double(width * self.height) / Double(self.width)
    let rows = Int(exact.rounded(.toNearestOrEven))
    guard self.width >= width, rows >= height else { return nil }
    let strip = cropped(x: 0, y: (self.height - rows) / 2, width: self.width, height: rows)
    var square = RGBImage(width: width, height: width, filledWith: .black)
    square.paste(
      strip.resized(width: width, height: height, filter: filter),
      x: 0,
      y: (width - height) / 2
    )
    return square
  }

  /// The picture seen in a mirror: left and right exchanged.
  package func flipped() -> RGBImage {
    let result = [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<height {
          let row = y * width * 3
          for x in 0..<width {
            let from = row + x * 3
            let to = row + (width - 1 - x) * 3
            buffer[to] = source[from]
            buffer[to + 1] = source[from + 1]
            buffer[to + 2] = source[from + 2]
          }
        }
      }
      count = pixels.count
    }
    return RGBImage(width: width, height: height, pixels: result)
  }

  /// Whether every pixel is grey.
  package var isGrey: Bool {
    pixels.withUnsafeBufferPointer { bytes in
      for start in stride(from: 0, to: bytes.count, by: 3) {
        let red = bytes[start]
        if bytes[start + 1] != red || bytes[start + 2] != red { return false }
      }
      return true
    }
  }

  /// Copies `other` over this picture; what lies outside is left out.
  package mutating func paste(_ other: RGBImage, x: Int, y: Int) {
    let columns = max(0, -x)..<min(other.width, width - x)
    let rows = max(0, -y)..<min(other.height, height - y)
    guard !columns.isEmpty else { return }
    for row in rows {
      let from = (row * other.width + columns.lowerBound) * 3
      let to = ((y + row) * width + x + columns.lowerBound) * 3
      let count = columns.count * 3
      pixels.replaceSubrange(to..<to + count, with: other.pixels[from..<from + count])
    }
  }
}
