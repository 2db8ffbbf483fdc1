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

  /// The largest rectangle of the given proportions in the middle, resized to `width`×`height` and
  /// laid between black bars so that the result is a square of side `max(width, height)`.
  ///
  /// For wide subjects such as cars and rooms: the network stays square, the picture keeps its shape.
  package func centerCroppedWide(
    width: Int,
    height: Int,
    filter: ResampleFilter = .lanczos
  ) -> RGBImage {
    precondition(width > 0 && height > 0, "empty target: \(width)×\(height)")
    // Compare proportions as products: w / h > width / height.
    let isTooWide = self.width * height > self.height * width
    let cropWidth = isTooWide ? max(1, rounded(self.height * width, over: height)) : self.width
    let cropHeight = isTooWide ? self.height : max(1, rounded(self.width * height, over: width))
    let resized = cropped(
      x: (self.width - cropWidth) / 2,
      y: (self.height - cropHeight) / 2,
      width: cropWidth,
      height: cropHeight
    ).resized(width: width, height: height, filter: filter)
    let side = max(width, height)
    var square = RGBImage(width: side, height: side, filledWith: .black)
    square.paste(resized, x: (side - width) / 2, y: (side - height) / 2)
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

private func rounded(_ numerator: Int, over denominator: Int) -> Int {
  (2 * numerator + denominator) / (2 * denominator)
}
