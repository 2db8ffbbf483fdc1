import BasicAlgorithms

/// The window, a reorder buffer: rows finish in any order and are taken in row order.
///
/// A pure value without I/O: rows are begun in ascending order, finished in any, and taken in ascending
/// order.
struct RowWindow<Value> {
  private enum State {
    case begun
    case finished(Value)
  }

  // rows[i] is the row number, states[i] its state; both begin at `head`.
  private var rows: [Int] = []
  private var states: [State] = []
  private var head = 0

  /// Rows begun and not yet taken.
  var count: Int { rows.count - head }

  /// Rows begun and not yet finished.
  private(set) var unfinished = 0

  mutating func begin(_ row: Int) {
    precondition(rows.last.map { $0 < row } ?? true, "row \(row) begun after \(rows.last ?? -1)")
    rows.append(row)
    states.append(.begun)
    unfinished += 1
  }

  mutating func finish(_ row: Int, _ value: Value) {
    guard let index = position(of: row), case .begun = states[index] else {
      preconditionFailure("row \(row) finished without being under way")
    }
    states[index] = .finished(value)
    unfinished -= 1
  }

  /// Takes the oldest row when it is finished.
  mutating func take() -> (row: Int, value: Value)? {
    guard head < rows.count, case .finished(let value) = states[head] else { return nil }
    // The value is freed at once, the space of taken rows in batches.
    states[head] = .begun
    let row = rows[head]
    head += 1
    if head > 1024, head * 2 > rows.count {
      rows.removeFirst(head)
      states.removeFirst(head)
      head = 0
    }
    return (row, value)
  }

  private func position(of row: Int) -> Int? {
    let position = rows[head...].partitioningIndex { $0 < row }
    return position < rows.count && rows[position] == row ? position : nil
  }
}
