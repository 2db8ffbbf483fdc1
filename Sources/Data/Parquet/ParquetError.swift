package import Files

/// What can go wrong with a Parquet file, in one line: what, where, why, and what to do.
package enum ParquetError: Error, Equatable, CustomStringConvertible {
  /// The file is missing, is no Parquet file, or its footer is damaged.
  case unreadable(path: String, reason: String)
  /// The data before this row could be read, the rest cannot.
  case damaged(path: String, row: Int, reason: String)
  /// The column holds something that is neither a number nor text.
  case unsupportedColumn(path: String, column: String, type: String)
  /// Arrow refused to encode or the system refused to write.
  case unwritable(path: String, reason: String)
  /// The system refused to write.
  case file(FileError)

  package var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "cannot read \(path) as Parquet: \(reason); download the file again"
    case .damaged(let path, let row, let reason):
      "\(path) is damaged after row \(row): \(reason); download the file again"
    case .unsupportedColumn(let path, let column, let type):
      "column \(column) of \(path) has Arrow type '\(type)'; a number or text is needed"
    case .unwritable(let path, let reason):
      "cannot write \(path) as Parquet: \(reason)"
    case .file(let error):
      error.description
    }
  }
}
