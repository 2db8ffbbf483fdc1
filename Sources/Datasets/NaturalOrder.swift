/// The order in which people count files: runs of digits compare as numbers, so that 9 < 10.
enum NaturalOrder {
  /// Whether `left` comes before `right`.
  ///
  /// A total order: names that differ only in leading zeros fall back to their bytes.
  static func precedes(_ left: String, _ right: String) -> Bool {
    var (left, right) = (left, right)
    return left.withUTF8 { left in
      right.withUTF8 { right in
        let order = compare(left, right)
        return order == 0 ? left.lexicographicallyPrecedes(right) : order < 0
      }
    }
  }

  private static func compare(
    _ left: UnsafeBufferPointer<UInt8>,
    _ right: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var (i, j) = (0, 0)
    while i < left.count && j < right.count {
      if isDigit(left[i]) && isDigit(right[j]) {
        let (first, second) = (digits(left, from: i), digits(right, from: j))
        if first.count != second.count { return first.count - second.count }
        for (a, b) in zip(first, second) where left[a] != right[b] {
          return Int(left[a]) - Int(right[b])
        }
        (i, j) = (first.upperBound, second.upperBound)
      } else {
        let (a, b) = (rank(left[i]), rank(right[j]))
        if a != b { return a - b }
        i += 1
        j += 1
      }
    }
    return (left.count - i) - (right.count - j)
  }

  /// A run of digits without its leading zeros; only its end is kept when it is all zeros.
  private static func digits(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int> {
    var end = start
    while end < text.count && isDigit(text[end]) { end += 1 }
    var first = start
    while first < end && text[first] == UInt8(ascii: "0") { first += 1 }
    return first..<end
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

  /// A folder's content stays together: the separator sorts before every other byte.
  private static func rank(_ byte: UInt8) -> Int { byte == UInt8(ascii: "/") ? -1 : Int(byte) }
}
