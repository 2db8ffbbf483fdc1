import Files

/// Reads rows of comma- or tab-separated text; the first row is the header, unless one is given.
///
/// Between commas (RFC 4180) a field in quotes may hold separators, line ends and doubled quotes; a
/// quote inside of an unquoted field is literal. Between tabs most files have no quoting at all: a line is
/// a row and every tab separates; only a field that is correctly quoted from end to end loses its quotes.
final class SeparatedRows {
  private let file: TextFile
  private let separator: UInt8
  private var positions: [MetadataField: Int] = [:]
  private var kept: [Int] = []
  private(set) var columnNames: [String] = []
  private var columnCount: Int { columnNames.count }
  private var row = 0

  // A quote that is never closed would make one record of the rest of the file.
  private static let maximumRecord = 1 << 20

  init(_ path: String, separator: UInt8, _ columns: MetadataColumns) throws(LaionError) {
    file = try TextFile(path)
    self.separator = separator
    if let header = columns.header {
      columnNames = header
      positions = try columns.positions(in: header, path: path)
      kept = columns.keptPositions(in: header)
      return
    }
    var header = try record()?.map { String(decoding: $0, as: UTF8.self) } ?? []
    if header.first?.hasPrefix("\u{FEFF}") == true { header[0].removeFirst() }
    if header.contains(where: { $0.unicodeScalars.contains("\r") }) {
      let reason = "its lines end in carriage returns alone; convert it by tr '\\r' '\\n'"
      throw .damagedMetadata(path: path, row: 0, reason: reason)
    }
    columnNames = header
    do throws(LaionError) {
      positions = try columns.positions(in: header, path: path)
    } catch {
      guard case .noURLColumn(let path, let columns, _) = error else { throw error }
      throw .noURLColumn(path: path, columns: columns, hint: Self.hint(header, path, separator))
    }
    kept = columns.keptPositions(in: header)
  }

  /// What may be wrong with a file whose header names no addresses; empty if that is not known.
  private static func hint(_ header: [String], _ path: String, _ separator: UInt8) -> String {
    let start = header.first ?? ""
    if header.contains(where: { isAddress(String($0.trimmingPrefix { $0 == " " })) }) {
      let order = header.count == 2 && isAddress(header[1]) ? "caption,url" : "url,caption"
      return "its first line is a row, not a header: name its columns, as by --columns \(order)"
    }
    // U+FFFD twice is a byte order mark of UTF-16 that was read as UTF-8.
    if start.hasPrefix("\u{FFFD}\u{FFFD}") || start.contains("\0") {
      return "it looks like UTF-16: convert it by iconv -f UTF-16 -t UTF-8"
    }
    if start.drop(while: \.isWhitespace).hasPrefix("<") { return "it looks like an HTML page" }
    let other: Character = separator == 0x09 ? "," : "\t"
    for (name, character) in [("semicolons", ";"), (other == "," ? "commas" : "tabs", other)]
      as [(String, Character)] where header.count == 1 && start.contains(character)
    {
      return "its fields seem to be separated by \(name): a .csv has commas, a .tsv tabs"
    }
    return ""
  }

  var hasCaptions: Bool { positions[.caption] != nil }

  func next() throws(LaionError) -> MetadataRow? {
    guard let fields = try record() else { return nil }
    defer { row += 1 }
    // An unquoted separator has shifted all fields after it: the caption is lost. One at the end shifts
    // nothing.
    if fields.dropFirst(columnCount).contains(where: { !$0.isEmpty }) {
      return MetadataRow(row: row, isReadable: false)
    }
    var isRecoded = false
    var result = MetadataRow(row: row) { field in
      guard let position = positions[field], fields.indices.contains(position),
        !fields[position].isEmpty
      else { return nil }
      let text = fields[position].withUnsafeBytes { LegacyText($0) }
      if field == .caption { isRecoded = text.isRecoded }
      return text.string
    }
    result.isRecoded = isRecoded
    result.kept = kept.map { position in
      guard fields.indices.contains(position), !fields[position].isEmpty else { return nil }
      return fields[position].withUnsafeBytes { LegacyText($0) }.string
    }
    return result
  }

  /// The fields of the next record that is not an empty line; `nil` at the end.
  private func record() throws(LaionError) -> [[UInt8]]? {
    separator == 0x09 ? try line() : try quotedRecord()
  }

  private func line() throws(LaionError) -> [[UInt8]]? {
    while let line = try file.line(limit: Self.maximumRecord) {
      if line.isEmpty { continue }
      return line.split(separator: separator, omittingEmptySubsequences: false).map {
        Self.unquoted($0)
      }
    }
    return nil
  }

  /// The content of a field whose quotes pair up; another field as it is.
  private static func unquoted(_ field: ArraySlice<UInt8>) -> [UInt8] {
    guard field.count >= 2, field.first == 0x22, field.last == 0x22 else { return Array(field) }
    var content: [UInt8] = []
    var isDoubled = false
    for byte in field.dropFirst().dropLast() {
      if isDoubled {
        if byte != 0x22 { return Array(field) }
        isDoubled = false
        content.append(byte)
      } else if byte == 0x22 {
        isDoubled = true
      } else {
        content.append(byte)
      }
    }
    return isDoubled ? Array(field) : content
  }

  private func quotedRecord() throws(LaionError) -> [[UInt8]]? {
    while true {
      var fields: [[UInt8]] = [[]]
      var (size, isQuoted, wasQuote) = (0, false, false)
      var isAtEnd = true
      while let byte = try file.next() {
        isAtEnd = false
        let last = fields.count - 1
        // A quote inside of quotes ends them, unless another one follows: then it is a quote.
        if wasQuote {
          wasQuote = false
          if byte == 0x22 {
            fields[last].append(byte)
            continue
          }
          isQuoted = false
        }
        size += 1
        if size > Self.maximumRecord {
          throw .damagedMetadata(path: file.path, row: row, reason: "a record of over a megabyte")
        }
        switch byte {
        case 0x22 where isQuoted: wasQuote = true
        case 0x22 where fields[last].isEmpty: isQuoted = true
        case separator where !isQuoted: fields.append([])
        case 0x0A where !isQuoted: break
        default: fields[last].append(byte)
        }
        if byte == 0x0A, !isQuoted { break }
      }
      if isAtEnd { return nil }
      if isQuoted, !wasQuote {
        throw .damagedMetadata(path: file.path, row: row, reason: "a quote that is never closed")
      }
      if fields[fields.count - 1].last == 0x0D { fields[fields.count - 1].removeLast() }
      if fields.count > 1 || !fields[0].isEmpty { return fields }
    }
  }
}
