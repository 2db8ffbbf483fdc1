package import Files
package import ObjectStore
package import Parquet

/// An error that ends a download, in one line: what, where, and what to do.
///
/// A row that cannot be fetched is not an error but a `FetchOutcome`.
package enum LaionError: Error, Equatable, CustomStringConvertible {
  /// An option has an invalid value, or conflicts with another.
  case option(String)
  /// The metadata folder has no files of a known format.
  case noMetadata(folder: String)
  /// The output folder has no splits.
  case noSplits(folder: String)
  /// The metadata folder lacks a requested part.
  case noSuchPart(part: Int, folder: String, count: Int)
  /// The part has no column of image addresses.
  case noURLColumn(path: String, columns: [String], hint: String = "")
  /// The part has no column of captions, without which no row becomes a pair.
  case noCaptionColumn(path: String, columns: [String])
  /// Several columns could be the one of a field.
  case ambiguousColumn(path: String, field: String, columns: [String])
  /// The part lacks a requested column.
  case noColumn(path: String, name: String, columns: [String])
  /// A text file is unreadable from this row on.
  case damagedMetadata(path: String, row: Int, reason: String)
  /// A compressed file of text is damaged.
  case damagedText(path: String, reason: String)
  /// The split was begun with other settings or another part.
  case differentSettings(folder: String)
  /// Another run holds the folder's lock.
  case inUse(folder: String)
  /// A ledger contradicts itself.
  case damagedLedger(path: String, line: Int)
  /// A Parquet file cannot be read or written.
  case parquet(ParquetError)
  /// The system's limit on open files is too low for the connections.
  case tooFewFiles(needed: Int, allowed: Int)
  /// The system lets this process have too few threads, or too little memory for them.
  case tooFewThreads(String)
  /// The disk is full or a folder is not writable.
  case file(FileError)
  /// The object store refuses, or does not answer.
  case store(StoreError)
  /// The task was cancelled; the same command continues where it stopped.
  case cancelled

  /// Whether the metadata of one part is damaged.
  var isDamage: Bool {
    switch self {
    case .parquet, .damagedMetadata, .damagedText: true
    default: false
    }
  }

  package var description: String {
    switch self {
    case .option(let complaint): complaint
    case .noMetadata(let folder):
      "no .parquet, .csv, .tsv, .jsonl, .json or .txt in \(folder) or below; put the metadata files there"
    case .noSplits(let folder):
      "no split0, split1, … in \(folder); give the folder that --out named"
    case .noSuchPart(let part, let folder, let count):
      "no part \(part) among the \(count) metadata files of \(folder)"
    case .noURLColumn(let path, let columns, let hint):
      "\(path) has no URL column, only \(columns.joined(separator: ", ").prefix(200)); "
        + (hint.isEmpty ? "name it by --column url=NAME" : hint)
    case .noCaptionColumn(let path, let columns):
      "\(path) has no column of captions, only \(columns.joined(separator: ", ").prefix(200)); "
        + "name it by --column caption=NAME, or add --uncaptioned"
    case .ambiguousColumn(let path, let field, let columns):
      "\(path) has several columns for \(field): \(columns.joined(separator: ", ")); name one by "
        + "--column \(field)=NAME, or rename the other"
    case .noColumn(let path, let name, let columns):
      "\(path) has no column \(name), only \(columns.joined(separator: ", ").prefix(200))"
    case .damagedMetadata(let path, let row, let reason):
      "\(path) cannot be read at row \(row): \(reason)"
    case .damagedText(let path, let reason): "\(path) cannot be decompressed: \(reason)"
    case .differentSettings(let folder):
      "\(folder) was begun with other filters, image size or metadata;"
        + " use the same settings to continue, or another output folder"
    case .inUse(let folder):
      "another run is downloading into \(folder); wait for it or stop it"
    case .damagedLedger(let path, let line):
      "\(path) contradicts itself in line \(line); remove its folder and download it again"
    case .tooFewFiles(let needed, let allowed):
      "so many connections need up to \(needed) open files, and the system allows \(allowed);"
        + " raise the hard limit (ulimit -Hn) or take fewer connections"
    case .tooFewThreads(let reason): reason
    case .parquet(let error): error.description
    case .file(let error): error.description
    case .store(let error): error.description
    case .cancelled: "stopped; run the same command again to continue"
    }
  }
}
