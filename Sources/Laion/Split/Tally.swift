/// Counts what became of the rows of a split, in row order.
struct Tally: Sendable {
  let part: MetadataPart
  let target: Int

  private(set) var summary: Ledger.Summary
  private(set) var filtered: [RowFilter.Cause: Int] = [:]
  private(set) var rowsRead: Int

  private let start = ContinuousClock.now
  private let rowCount: Int?
  private let pairsAtStart: Int
  private let rowsAtStart: Int
  private let bytesAtStart: Int

  /// Begins where an earlier run, whose work is `done`, has stopped.
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

  mutating func add(_ entry: Ledger.Entry) {
    summary.add(entry)
    rowsRead = max(rowsRead, entry.row + 1)
  }

  mutating func filter(_ row: Int, _ cause: RowFilter.Cause) {
    filtered[cause, default: 0] += 1
    rowsRead = max(rowsRead, row + 1)
  }

  var progress: LaionProgress {
    let seconds = seconds
    let rate = seconds > 0 ? Double(pairs - pairsAtStart) / seconds : 0
    let rowRate = seconds > 0 ? Double(rowsRead - rowsAtStart) / seconds : 0
    let rowsLeft = rowCount.map { max(0, $0 - rowsRead) } ?? target
    // The split ends when it is full or when the part has no more rows, whatever comes first.
    let untilFull = rate > 0 ? Double(max(0, target - pairs)) / rate : .infinity
    let untilEmpty = rowRate > 0 ? Double(rowsLeft) / rowRate : .infinity
    let secondsLeft = min(untilFull, untilEmpty)
    return LaionProgress(
      split: part.number,
      rowsDone: rowsRead,
      pairs: pairs,
      target: min(target, pairs + rowsLeft),
      failures: failureNames,
      filtered: filteredNames,
      bytes: summary.bytes,
      bytesPerSecond: seconds > 0 ? Double(summary.bytes - bytesAtStart) / seconds : 0,
      imagesPerSecond: rate,
      secondsLeft: secondsLeft.isFinite ? secondsLeft : nil
    )
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
