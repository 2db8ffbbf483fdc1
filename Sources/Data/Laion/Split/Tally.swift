/// Counts a split's rows by outcome, in row order.
struct Tally: Sendable {
  let part: MetadataPart
  let target: Int

  private(set) var summary: Ledger.Summary
  private(set) var filtered: [RowFilter.Cause: Int] = [:]
  private(set) var rowsRead: Int
  /// Rows whose captions were not UTF-8.
  private(set) var recoded = 0

  private let start = ContinuousClock.now
  private let rowCount: Int?
  private let pairsAtStart: Int
  private let rowsAtStart: Int
  private let bytesAtStart: Int
  /// In a retry pass, the number of rows to retry and of those done.
  private var pass: (rows: Int, done: Int)?

  /// Begins where an earlier run stopped.
  init(part: MetadataPart, target: Int, rowCount: Int?, done: Ledger.Summary) {
    self.part = part
    self.target = target
    self.rowCount = rowCount
    summary = done
    rowsRead = done.nextRow
    pairsAtStart = done.pairs
    rowsAtStart = done.nextRow
    bytesAtStart = done.bytes
  }

  var pairs: Int { summary.pairs }
  var isFull: Bool { summary.pairs >= target }

  /// Begins a retry pass over so many rows.
  mutating func beginPass(over rows: Int) { pass = (rows, 0) }

  mutating func add(_ entry: Ledger.Entry) {
    pass?.done += 1
    summary.add(entry)
    rowsRead = max(rowsRead, entry.row + 1)
  }

  mutating func noteRecoded() { recoded += 1 }

  mutating func filter(_ row: Int, _ cause: RowFilter.Cause) {
    filtered[cause, default: 0] += 1
    rowsRead = max(rowsRead, row + 1)
  }

  /// The progress of the split.
  ///
  /// - Parameters:
  ///   - isLast: Whether no row will follow.
  ///   - ahead: Rows, and pairs among them, that are finished ahead of a slow row: they count for the rate
  ///     and the time left.
  /// - Returns: The current progress.
  func progress(
    isLast: Bool = false,
    ahead: (rows: Int, pairs: Int) = (0, 0)
  ) -> LaionProgress {
    let seconds = seconds
    func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }
    let rowsLeft = isLast ? 0 : rowsLeft
    return LaionProgress(
      split: part.number,
      rowsDone: rowsRead,
      pairs: pairs,
      target: rowsLeft.map { min(target, pairs + $0) } ?? target,
      failures: failureNames,
      filtered: filteredNames,
      bytes: summary.bytes,
      bytesPerSecond: rate(summary.bytes - bytesAtStart),
      imagesPerSecond: rate(pairs - pairsAtStart + ahead.pairs),
      secondsLeft: rowsLeft.flatMap {
        secondsLeft(
          rowsLeft: max(0, $0 - ahead.rows),
          pairsLeft: max(0, target - pairs - ahead.pairs),
          pairRate: rate(pairs - pairsAtStart + ahead.pairs),
          rowRate: rate((pass?.done ?? rowsRead - rowsAtStart) + ahead.rows)
        )
      }
    )
  }

  /// Rows that may still give pairs; `nil` for text, whose length shows only at its end.
  private var rowsLeft: Int? {
    if let pass { return max(0, pass.rows - pass.done) }
    return rowCount.map { max(0, $0 - rowsRead) }
  }

  /// Seconds until the split is full or out of rows, whichever comes first.
  private func secondsLeft(
    rowsLeft: Int,
    pairsLeft: Int,
    pairRate: Double,
    rowRate: Double
  ) -> Double? {
    let untilFull = pairRate > 0 ? Double(pairsLeft) / pairRate : .infinity
    let untilEmpty = rowRate > 0 ? Double(rowsLeft) / rowRate : .infinity
    let seconds = min(untilFull, untilEmpty)
    // Beyond decades it is no estimate.
    return seconds < 1e9 ? seconds : nil
  }

  func statistics(isExhausted: Bool) -> SplitStatistics {
    SplitStatistics(
      split: part.number,
      part: part.fileName,
      target: target,
      pairs: pairs,
      isExhausted: isExhausted,
      rowsRead: rowsRead,
      rowsInPart: rowCount ?? (isExhausted ? rowsRead : nil),
      bytesDownloaded: summary.bytes,
      filtered: filteredNames,
      failures: failureNames,
      recodedCaptions: recoded,
      seconds: seconds
    )
  }

  private var seconds: Double { start.duration(to: .now) / .seconds(1) }

  private var failureNames: [String: Int] {
    Dictionary(uniqueKeysWithValues: summary.failures.map { ($0.description, $1) })
  }

  private var filteredNames: [String: Int] {
    Dictionary(uniqueKeysWithValues: filtered.map { ($0.rawValue, $1) })
  }
}
