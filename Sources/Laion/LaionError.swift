package import Files
package import Parquet

/// What ends a download, in one line: what, where, and what to do.
///
/// A row that cannot be fetched is not an error but a `FetchOutcome`.
package enum LaionError: Error, Equatable, CustomStringConvertible {
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// The metadata folder has no Parquet files.
  case noMetadata(folder: String)
  /// A part was asked for that the metadata folder does not have.
  case noSuchPart(part: Int, folder: String, count: Int)
  /// The part has no column of image addresses.
  case noURLColumn(path: String, columns: [String])
  /// The split was begun with other settings or another part.
  case differentSettings(folder: String)
  /// A ledger says what cannot be.
  case damagedLedger(path: String, line: Int)
  /// A Parquet file cannot be read or written.
  case parquet(ParquetError)
  /// The disk is full or a folder is not writable.
  case file(FileError)
  /// The task was cancelled; the same command continues where it stopped.
  case cancelled

  package var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected):
      "\(name) is \(value); it must be \(expected)"
    case .noMetadata(let folder):
      "no part-*.parquet in \(folder); put the LAION metadata files there"
    case .noSuchPart(let part, let folder, let count):
      "no part \(part) in \(folder): it has \(count) Parquet files, numbered from 0"
    case .noURLColumn(let path, let columns):
      "\(path) has no URL column, only \(columns.joined(separator: ", "))"
    case .differentSettings(let folder):
      "\(folder) was begun with other filters, image size or metadata;"
        + " use the same settings to continue, or another output folder"
    case .damagedLedger(let path, let line):
      "\(path) contradicts itself in line \(line); remove its folder and download it again"
    case .parquet(let error): error.description
    case .file(let error): error.description
    case .cancelled: "stopped; run the same command again to continue"
    }
  }
}
