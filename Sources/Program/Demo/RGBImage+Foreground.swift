import Images

/// A part of a picture: columns and rows from the first to before the last.
struct PictureBox: Equatable {
  var left: Int
  var top: Int
  var right: Int
  var bottom: Int
}

extension RGBImage {
  /// What is not white; `nil` where everything is.
  var foreground: PictureBox? {
    var box = PictureBox(left: width, top: height, right: 0, bottom: 0)
    for y in 0..<height {
      let row = pixels[y * width * 3..<(y + 1) * width * 3]
      guard let first = row.firstIndex(where: { $0 != 255 }),
        let last = row.lastIndex(where: { $0 != 255 })
      else { continue }
      box.left = min(box.left, (first - row.startIndex) / 3)
      box.right = max(box.right, (last - row.startIndex) / 3 + 1)
      box.top = min(box.top, y)
      box.bottom = y + 1
    }
    return box.right > box.left ? box : nil
  }

  /// A part of it in the middle of a white square with a margin of a 24th.
  func squared(_ box: PictureBox) -> RGBImage {
    let (width, height) = (box.right - box.left, box.bottom - box.top)
    let longest = max(width, height)
    let side = longest + 2 * (longest / 24)
    var square = [UInt8](repeating: 255, count: side * side * 3)
    for row in 0..<height {
      let from = ((box.top + row) * self.width + box.left) * 3
      let to = (((side - height) / 2 + row) * side + (side - width) / 2) * 3
      square.replaceSubrange(to..<to + width * 3, with: pixels[from..<from + width * 3])
    }
    return RGBImage(width: side, height: side, pixels: square)
  }
}
