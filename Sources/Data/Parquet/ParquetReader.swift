import CParquet
import Foundation

/// A column to read, with the other names under which it is known.
package struct ParquetColumn: Sendable, ExpressibleByStringLiteral {
  /// The name under which a batch gives the column.
  package let name: String
  /// Names tried in this order when no column is called `name`; letter case is ignored at the end.
  package let alternatives: [String]
  /// Whether a column of a type that cannot be read is an error; else it reads as `nil`.
  package let isRequired: Bool

  /// Names a column and what else it may be called.
  package init(_ name: String, alternatives: [String] = [], isRequired: Bool = true) {
    self.name = name
    self.alternatives = alternatives
    self.isRequired = isRequired
  }

  package init(stringLiteral name: String) {
    self.init(name)
  }

  /// The position of the column in a file with columns of these names; `nil` when it has none.
  func position(in names: [String]) -> Int? {
    let wanted = [name] + alternatives
    for candidate in wanted {
      if let position = names.firstIndex(of: candidate) { return position }
    }
    let lowercased = names.map { $0.lowercased() }
    for candidate in wanted {
      if let position = lowercased.firstIndex(of: candidate.lowercased()) { return position }
    }
    return nil
  }
}

/// Streams chosen columns of a Parquet file, a batch of rows at a time.
///
/// Memory is bounded by `memoryLimit` whatever the file claims, and by a few batches in practice,
/// whatever the size of its row groups. Column types are adapted, not assumed: see
/// `ColumnBatch.Column`. Not thread-safe: one reader, one task.
package final class ParquetReader {
  /// The file's path.
  package let path: String
  /// Rows in the file, as its footer says.
  package let rowCount: Int
  /// The names of all columns of the file, in order.
  package let columnNames: [String]
  /// Columns that were asked for and are passed over, because their type cannot be read.
  package let unreadColumns: [(name: String, type: String)]

  private let handle: ParquetHandle
  // Requested name → position among the columns of a batch.
  private let positions: [String: Int?]
  private let formats: [ArrowFormat]
  private let dictionaryFormats: [ArrowFormat?]
  private var rowsRead = 0

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: A Parquet file.
  ///   - columns: The columns to read. One that the file does not have reads as `nil` in every row.
  ///   - batchRows: Rows of a batch, at most.
  ///   - memoryLimit: Bytes that reading may use before it fails.
  /// - Throws: `ParquetError` when the file is missing or broken, or a required column cannot be
  ///   read.
  package init(
    path: String,
    columns: [ParquetColumn],
    batchRows: Int = 8192,
    memoryLimit: Int = 1 << 30
  ) throws(ParquetError) {
    precondition(batchRows > 0, "batchRows is \(batchRows), must be positive")
    self.path = path
    let handle = try ParquetHandle(path: path, memoryLimit: memoryLimit)
    self.handle = handle
    rowCount = handle.rowCount
    columnNames = handle.fields.map(\.name)

    var chosen: [Int] = []
    var positions: [String: Int?] = [:]
    var unreadColumns: [(name: String, type: String)] = []
    for column in columns {
      guard let field = column.position(in: columnNames) else {
        positions[column.name] = .some(nil)
        continue
      }
      if !column.isRequired, let type = handle.fields[field].unreadableType {
        unreadColumns.append((columnNames[field], type))
        positions[column.name] = .some(nil)
        continue
      }
      if let known = chosen.firstIndex(of: field) {
        positions[column.name] = known
      } else {
        positions[column.name] = chosen.count
        chosen.append(field)
      }
    }
    self.positions = positions
    self.unreadColumns = unreadColumns

    var formats: [ArrowFormat] = []
    var dictionaryFormats: [ArrowFormat?] = []
    for field in chosen.map({ handle.fields[$0] }) {
      guard field.unreadableType == nil, let format = ArrowFormat(field.format, field.elementFormat)
      else {
        let type = field.unreadableType ?? field.format
        throw .unsupportedColumn(path: path, column: field.name, type: type)
      }
      formats.append(format)
      dictionaryFormats.append(field.dictionaryFormat.flatMap { ArrowFormat($0) })
    }
    self.formats = formats
    self.dictionaryFormats = dictionaryFormats
    if !chosen.isEmpty { try handle.select(chosen, batchRows: batchRows) }
  }

  /// Whether the file has a column that was asked for under this name.
  package func has(_ column: String) -> Bool {
    (positions[column] ?? nil) != nil
  }

  /// Reads the next rows; `nil` after the last.
  package func next() throws(ParquetError) -> ColumnBatch? {
    if formats.isEmpty { return nextWithoutColumns() }
    guard let array = try handle.next(rowsRead: rowsRead) else { return nil }
    let batch = ColumnBatch(
      firstRow: rowsRead,
      rowCount: array.rowCount,
      positions: positions,
      columns: formats.indices.map { position in
        ColumnBatch.Column(
          array: array,
          position: position,
          format: formats[position],
          dictionaryFormat: dictionaryFormats[position]
        )
      }
    )
    rowsRead += array.rowCount
    return batch
  }

  // A file that has none of the wanted columns still has rows, all of them empty.
  private func nextWithoutColumns() -> ColumnBatch? {
    if rowsRead >= rowCount { return nil }
    let batch = ColumnBatch(
      firstRow: rowsRead,
      rowCount: min(8192, rowCount - rowsRead),
      positions: positions,
      columns: []
    )
    rowsRead += batch.rowCount
    return batch
  }
}
