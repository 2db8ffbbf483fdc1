import CImages

/// Runs of one direction in the order in which they are drawn, from left to right.
///
/// Unicode's bidirectional algorithm (UAX #9) for one line, whose direction is that of its first letter.
enum VisualRuns {
  /// A run of scalars.
  struct Run: Equatable {
    /// Where it lies in the text.
    let range: Range<Int>
    /// Whether its letters go from right to left.
    let isRightToLeft: Bool
  }

  /// The runs of a line.
  static func of(_ scalars: [UInt32]) -> [Run] {
    if scalars.isEmpty { return [] }
    var levels = [UInt8](repeating: 0, count: scalars.count)
    // Without memory for it, the text goes from left to right.
    if !cimages_bidi_levels(scalars, scalars.count, &levels) {
      levels = [UInt8](repeating: 0, count: scalars.count)
    }
    var runs: [(run: Run, level: UInt8)] = []
    var start = 0
    for end in 1...scalars.count where end == scalars.count || levels[end] != levels[start] {
      runs.append((Run(range: start..<end, isRightToLeft: levels[start] % 2 == 1), levels[start]))
      start = end
    }
    // Rule L2: from the highest level to the lowest odd one, what stands at it or above is reversed.
    let highest = runs.map(\.level).max() ?? 0
    for level in stride(from: Int(highest), to: 0, by: -1) {
      var first = 0
      while first < runs.count {
        var last = first
        while last < runs.count, runs[last].level >= level { last += 1 }
        runs[first..<last].reverse()
        first = last + 1
      }
    }
    return runs.map(\.run)
  }
}
