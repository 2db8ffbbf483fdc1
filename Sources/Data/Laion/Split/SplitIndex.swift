import Files
import Foundation
import Parquet

/// Writes `index.parquet`: one line per requested row with its metadata and its outcome.
enum SplitIndex {
  static let columns: [(name: String, type: ParquetType)] = [
    ("number", .int64), ("row", .int64), ("SAMPLE_ID", .string), ("URL", .string),
    ("caption", .string), ("width", .int64), ("height", .int64), ("bytes", .int64),
    ("sha256", .string), ("status", .string),
  ]

  /// Joins the ledger with the metadata.
  static func write(
    _ folder: SplitFolder,
    part: MetadataPart,
    columns metadata: MetadataColumns
  ) throws(LaionError) {
    // A retried row has its last outcome at its first position.
    var latest: [Int: Ledger.Entry] = [:]
    try Ledger.read(folder.ledgerPath, header: nil) { entry in
      if entry.replaced != nil { latest[entry.row] = entry }
    }
    var rows = try MetadataRows(part, columns: metadata)
    var pending = try rows.next()
    let writer = try parquet { () throws(ParquetError) in
      try ParquetWriter(
        path: folder.indexPath,
        columns: columns + (metadata.keptNames ?? []).map { ($0, .string) }
      )
    }
    try Ledger.read(folder.ledgerPath, header: nil) { entry throws(LaionError) in
      if entry.replaced != nil { return }
      while let row = pending, row.row < entry.row { pending = try rows.next() }
      guard let row = pending, row.row == entry.row else {
        throw .differentSettings(folder: folder.path)
      }
      try parquet { () throws(ParquetError) in
        try writer.append(values(latest[entry.row] ?? entry, row))
      }
      if writer.rowCount.isMultiple(of: 1 << 12) { Memory.trim() }
    }
    try parquet { () throws(ParquetError) in try writer.finish() }
  }

  private static func parquet<Value>(
    _ body: () throws(ParquetError) -> Value
  ) throws(LaionError) -> Value {
    do throws(ParquetError) { return try body() } catch { throw .parquet(error) }
  }

  private static func values(_ entry: Ledger.Entry, _ row: MetadataRow) -> [ParquetValue] {
    let text = [row.sampleID, row.url].map { $0.map { ParquetValue.string($0) } ?? .null }
    let caption = CaptionCleaner.lines(row.text ?? "").joined(separator: "\n")
    var (image, status): ([ParquetValue], String) = (.init(repeating: .null, count: 4), "ok")
    switch entry.outcome {
    case .success(let stored):
      image = [
        .int64(Int64(stored.width)), .int64(Int64(stored.height)), .int64(Int64(stored.bytes)),
        .string(stored.sha256),
      ]
    case .failure(let cause):
      status = cause.description
    }
    let number = entry.number.map { ParquetValue.int64(Int64($0)) } ?? .null
    return [number, .int64(Int64(row.row))] + text + [.string(caption)] + image
      + [.string(status)] + row.kept.map { $0.map { .string($0) } ?? .null }
  }
}
