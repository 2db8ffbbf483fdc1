/// Expands `split{0..9}.zip`, `{a,b}.zip`, `{08..11}`, `{0..6..2}` and `{a..e}`, also within each other,
/// as a shell would, for patterns that reach us quoted.
///
/// A pattern of more than 100,000 names, or of more than 64 MB of them, stays as it is.
package func expandedBraces(_ pattern: String) -> [String] {
  var expansion = BraceExpansion(Array(pattern.utf8))
  guard let names = expansion.names() else { return [pattern] }
  return names.map { String(decoding: $0, as: UTF8.self) }
}

/// One pattern on its way to its names.
private struct BraceExpansion {
  /// A pair of braces.
  private struct Group {
    let close: Int
    /// Its own commas, not those of braces within.
    let commas: [Int]
  }

  private static let mostNames = 100_000
  private static let mostDepth = 64

  private let pattern: [UInt8]
  /// Groups by the position of the brace that opens them.
  private var groups: [Int: Group] = [:]
  /// Bytes that may still be written.
  private var room = 64 << 20

  init(_ pattern: [UInt8]) {
    self.pattern = pattern
    var open: [(start: Int, commas: [Int])] = []
    for (index, byte) in pattern.enumerated() {
      switch byte {
      case UInt8(ascii: "{"): open.append((index, []))
      case UInt8(ascii: ","): if !open.isEmpty { open[open.count - 1].commas.append(index) }
      case UInt8(ascii: "}"):
        if let group = open.popLast() {
          groups[group.start] = Group(close: index, commas: group.commas)
        }
      default: break
      }
    }
  }

  /// All names; `nil` when they are too many.
  mutating func names() -> [[UInt8]]? { names(pattern.indices, depth: 0) }

  private mutating func names(_ range: Range<Int>, depth: Int) -> [[UInt8]]? {
    guard depth <= Self.mostDepth else { return nil }
    var names: [[UInt8]] = [[]]
    var (literal, index) = (range.lowerBound, range.lowerBound)
    while index < range.upperBound {
      guard let group = groups[index] else {
        index += 1
        continue
      }
      let inside = index + 1..<group.close
      var choices: [[UInt8]] = []
      if !group.commas.isEmpty {
        let ends = [index] + group.commas + [group.close]
        for (start, end) in zip(ends, ends.dropFirst()) {
          guard let found = self.names(start + 1..<end, depth: depth + 1) else { return nil }
          choices += found
          if choices.count > Self.mostNames { return nil }
        }
      } else if let span = BraceRange(pattern[inside]) {
        guard span.count <= Self.mostNames else { return nil }
        choices = span.names
      } else {
        index += 1
        continue
      }
      guard let joined = join(names, literal..<index, choices) else { return nil }
      names = joined
      index = group.close + 1
      literal = index
    }
    return join(names, literal..<range.upperBound, [[]])
  }

  /// Each name, followed by a part of the pattern and each choice.
  private mutating func join(
    _ names: [[UInt8]],
    _ literal: Range<Int>,
    _ choices: [[UInt8]]
  ) -> [[UInt8]]? {
    let count = names.count * choices.count
    guard count <= Self.mostNames else { return nil }
    let bytes = names.reduce(0) { $0 + $1.count + literal.count + 1 } * choices.count
    room -= bytes + choices.reduce(0) { $0 + $1.count } * names.count
    guard room >= 0 else { return nil }
    return names.flatMap { name in choices.map { name + pattern[literal] + $0 } }
  }
}

/// What stands between the braces of a range: `0..9`, `00..09`, `0..9..3`, `a..e`.
private struct BraceRange {
  private let first: Int
  private let last: Int
  /// Above 0.
  private let step: Int
  /// Least characters of a number, its sign included.
  private var width = 0
  private var isOfLetters = false

  /// How many names there are; `Int.max` where there is no such number.
  var count: Int {
    let (span, overflow) = max(first, last).subtractingReportingOverflow(min(first, last))
    return overflow || span == .max ? .max : span / step + 1
  }

  init?(_ text: ArraySlice<UInt8>) {
    guard text.count <= 64 else { return nil }
    let parts = String(decoding: text, as: UTF8.self).split(
      separator: "..",
      omittingEmptySubsequences: false
    )
    guard (2...3).contains(parts.count) else { return nil }
    if parts.count == 3 {
      guard let given = Int(parts[2]), given != .min else { return nil }
      step = max(1, abs(given))
    } else {
      step = 1
    }
    if let first = Int(parts[0]), let last = Int(parts[1]) {
      (self.first, self.last) = (first, last)
      if parts[..<2].contains(where: Self.hasZeros) {
        width = max(parts[0].count, parts[1].count)
      }
    } else if let first = Self.letter(parts[0]), let last = Self.letter(parts[1]) {
      (self.first, self.last, isOfLetters) = (first, last, true)
    } else {
      return nil
    }
  }

  /// The names, in the order from the first to the last.
  var names: [[UInt8]] {
    stride(from: first, through: last, by: first <= last ? step : -step).map { value in
      if isOfLetters { return [UInt8(truncatingIfNeeded: value)] }
      let sign = value < 0 ? "-" : ""
      return Array((sign + zeroPadded(value.magnitude, to: width - sign.count)).utf8)
    }
  }

  private static func hasZeros(_ number: Substring) -> Bool {
    let digits = number.drop { "+-".contains($0) }
    return digits.count > 1 && digits.first == "0"
  }

  private static func letter(_ text: Substring) -> Int? {
    guard text.utf8.count == 1, let byte = text.utf8.first, text.first?.isLetter == true else {
      return nil
    }
    return Int(byte)
  }
}
