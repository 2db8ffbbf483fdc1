import CParquet

/// Some rows of the chosen columns.
package struct ColumnBatch {
  /// The number of the first row, counted over the file from 0.
  package let firstRow: Int
  /// Rows in this batch.
  package let rowCount: Int

  private let positions: [String: Int?]
  private let columns: [Column]

  init(firstRow: Int, rowCount: Int, positions: [String: Int?], columns: [Column]) {
    self.firstRow = firstRow
    self.rowCount = rowCount
    self.positions = positions
    self.columns = columns
  }

  /// The column of this name; one that the file lacks is `nil` in every row.
  ///
  /// The name must be one of those given to the reader.
  package subscript(name: String) -> Column {
    guard let position = positions[name] else {
      preconditionFailure("column \(name) was not asked for, only \(positions.keys.sorted())")
    }
    return position.map { columns[$0] } ?? Column(rowCount: rowCount)
  }
}

extension ColumnBatch {
  /// The values of one column, converted to the type that is asked for.
  ///
  /// Metadata published over the years stores the same column as text, integer or floating point.
  /// Each accessor therefore takes any of them and gives `nil` for null, for a missing column and
  /// for what has no exact counterpart ("tall" as a number, 0.5 as an integer).
  package struct Column {
    /// Rows in this batch.
    package let rowCount: Int

    private let values: ArrowValues?

    init(rowCount: Int) {
      self.rowCount = rowCount
      values = nil
    }

    init(
      array: ArrowBatch,
      position: Int,
      format: ArrowFormat,
      dictionaryFormat: ArrowFormat?
    ) {
      rowCount = array.rowCount
      values = array.child(position).map { child in
        ArrowValues(
          owner: array,
          array: child,
          format: format,
          dictionary: dictionaryFormat
        )
      }
    }

    /// The value as text; invalid UTF-8 is repaired, numbers are written in decimal.
    package func string(_ row: Int) -> String? {
      switch value(row) {
      case .text(let bytes): String(decoding: bytes, as: UTF8.self)
      case .integer(let value): String(value)
      case .real(let value): Int(exactly: value).map { String($0) } ?? String(value)
      case nil: nil
      }
    }

    /// The value as a floating-point number.
    package func double(_ row: Int) -> Double? {
      switch value(row) {
      case .text(let bytes): Double(Self.trimmed(bytes))
      case .integer(let value): Double(value)
      case .real(let value): value
      case nil: nil
      }
    }

    /// The value as an integer; a floating-point value must be whole.
    package func int(_ row: Int) -> Int? {
      switch value(row) {
      case .text(let bytes):
        Int(Self.trimmed(bytes)) ?? Double(Self.trimmed(bytes)).flatMap { Int(exactly: $0) }
      case .integer(let value): Int(exactly: value)
      case .real(let value): Int(exactly: value)
      case nil: nil
      }
    }

    private func value(_ row: Int) -> ArrowValue? {
      precondition(row >= 0 && row < rowCount, "row \(row) of a batch of \(rowCount) rows")
      return values?.value(row)
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> String {
      String(decoding: bytes.prefix(64), as: UTF8.self).filter { !$0.isWhitespace }
    }
  }
}
