import Parquet

/// Streams the rows of a part, in constant memory.
struct MetadataRows {
  /// Rows in the part; `nil` for text, whose length shows only at its end.
  let rowCount: Int?
  /// Columns of unreadable types; their values count as unknown.
  var unreadColumns: [(name: String, type: String)] {
    if case .parquet(let rows) = source { rows.unreadColumns } else { [] }
  }
  /// Whether the part has a column of captions; `true` where only its rows show it.
  var hasCaptions: Bool {
    switch source {
    case .parquet(let rows): rows.hasCaptions
    case .separated(let rows): rows.hasCaptions
    case .json: true
    }
  }
  /// The names of its columns; empty where only its rows show them.
  var columnNames: [String] {
    switch source {
    case .parquet(let rows): rows.columnNames
    case .separated(let rows): rows.columnNames
    case .json: []
    }
  }
  private enum Source {
    case parquet(ParquetRows)
    case separated(SeparatedRows)
    case json(JSONRows)
  }

  private var source: Source

  init(_ part: MetadataPart, columns: MetadataColumns) throws(LaionError) {
    switch part.format {
    case .parquet:
      let rows = try ParquetRows(part.path, columns)
      source = .parquet(rows)
      rowCount = rows.rowCount
      return
    case .csv: source = .separated(try SeparatedRows(part.path, separator: 0x2C, columns))
    case .tsv: source = .separated(try SeparatedRows(part.path, separator: 0x09, columns))
    // A tab is in no address.
    case .txt:
      var columns = columns
      columns.header = columns.header ?? ["URL"]
      source = .separated(try SeparatedRows(part.path, separator: 0x09, columns))
    case .jsonl, .ndjson: source = .json(try JSONRows(part.path, columns))
    case .json: source = .json(try JSONRows(part.path, columns, isArray: true))
    }
    rowCount = nil
  }

  mutating func next() throws(LaionError) -> MetadataRow? {
    switch source {
    case .parquet(var rows):
      defer { source = .parquet(rows) }
      return try rows.next()
    case .separated(let rows): return try rows.next()
    case .json(let rows): return try rows.next()
    }
  }
}

/// Reads the rows of a Parquet file.
struct ParquetRows {
  let rowCount: Int
  let hasCaptions: Bool

  var unreadColumns: [(name: String, type: String)] { reader.unreadColumns }

  var columnNames: [String] { reader.columnNames }

  private let reader: ParquetReader
  private let kept: [String]
  private var batch: ColumnBatch?
  private var position = 0

  init(_ path: String, _ columns: MetadataColumns) throws(LaionError) {
    do throws(ParquetError) {
      reader = try ParquetReader(path: path, columns: columns.parquet)
    } catch {
      throw .parquet(error)
    }
    let reader = reader
    kept = (columns.keptNames ?? []).map { MetadataColumns.key(ofKept: $0) }
    try columns.check(path: path, columns: reader.columnNames) { reader.has($0.key) }
    _ = try columns.positions(in: reader.columnNames, path: path)
    hasCaptions = reader.has(MetadataField.caption.key)
    rowCount = reader.rowCount
  }

  mutating func next() throws(LaionError) -> MetadataRow? {
    while true {
      if let batch, position < batch.rowCount {
        defer { position += 1 }
        var row = MetadataRow(batch, position)
        row.kept = kept.map { batch[$0].string(position) }
        return row
      }
      do throws(ParquetError) {
        guard let next = try reader.next() else { return nil }
        batch = next
      } catch {
        throw .parquet(error)
      }
      position = 0
    }
  }
}
