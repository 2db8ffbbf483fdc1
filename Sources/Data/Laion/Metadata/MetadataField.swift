import Parquet

/// A field of the metadata, found in one of its columns.
package enum MetadataField: String, Codable, CaseIterable, Sendable {
  case id, url, caption, width, height, nsfw, similarity, licence, language, watermark
  case unsafety = "unsafe"

  /// The column's key in a batch; no file has a column of this name.
  var key: String { "field \(rawValue)" }

  /// The column's usual names in published metadata, LAION-400M's first.
  package var usualNames: [String] {
    switch self {
    case .id: ["SAMPLE_ID", "hash", "key", "id", "uid"]
    case .url: ["URL", "image_url", "img_url"]
    case .caption: ["TEXT", "caption", "alt_text", "top_caption"]
    case .width: ["WIDTH", "original_width", "image_width"]
    case .height: ["HEIGHT", "original_height", "image_height"]
    case .nsfw: ["NSFW", "punsafe_label"]
    case .similarity: ["similarity", "clip_similarity_vitb32", "clip_b32_similarity_score"]
    case .licence: ["LICENSE", "licence"]
    case .language: ["LANGUAGE", "lang"]
    case .unsafety: ["punsafe", "unsafe"]
    case .watermark: ["pwatermark", "watermark"]
    }
  }
}

/// The columns of a row's fields: of the given names, else of the usual ones.
package struct MetadataColumns: Codable, Equatable, Sendable {
  /// Field → name of its column.
  package var names: [String: String] = [:]

  /// The names of all columns, for text without a header; `nil` if the first row is the header.
  package var header: [String]?
  /// Columns to copy to the index; `nil` for none.
  package var keptNames: [String]?

  /// Columns under their usual names.
  package init() {}

  /// The given name of a field's column; `nil` for the usual names.
  package subscript(field: MetadataField) -> String? {
    get { names[field.rawValue] }
    set { names[field.rawValue] = newValue }
  }

  var parquet: [ParquetColumn] {
    MetadataField.allCases.map { field in
      let candidates = self[field].map { [$0] } ?? field.usualNames
      // A column for filters or the index alone may have any type: an unreadable one counts as unknown.
      let isRequired = field == .url || field == .caption || self[field] != nil
      return ParquetColumn(field.key, alternatives: candidates, isRequired: isRequired)
    } + (keptNames ?? []).map { ParquetColumn(Self.key(ofKept: $0), alternatives: [$0]) }
  }

  /// A copied column's key in a batch.
  static func key(ofKept name: String) -> String { "kept \(name)" }

  /// The positions of the copied columns, all of which exist.
  func keptPositions(in header: [String]) -> [Int] {
    let header = header.map(Self.trimmed)
    return (keptNames ?? []).compactMap { header.firstIndex(of: $0) }
  }

  /// The position of each field among columns of these names.
  ///
  /// - Throws: `LaionError` if the column of addresses or a requested column is missing.
  func positions(in header: [String], path: String) throws(LaionError) -> [MetadataField: Int] {
    var positions: [MetadataField: Int] = [:]
    // "url, caption" is a usual way to write a header.
    let header = header.map(Self.trimmed)
    let lowercased = header.map { $0.lowercased() }
    for field in MetadataField.allCases {
      let candidates = self[field].map { [$0] } ?? field.usualNames
      positions[field] =
        candidates.lazy.compactMap { header.firstIndex(of: $0) }.first
        ?? candidates.lazy.compactMap { lowercased.firstIndex(of: $0.lowercased()) }.first
    }
    try check(path: path, columns: header) { positions[$0] != nil }
    for (field, position) in positions {
      let twins =
        self[field] == header[position]
        ? header.filter { $0 == header[position] }
        : header.filter { $0.lowercased() == lowercased[position] }
      guard twins.count == 1 else {
        throw .ambiguousColumn(path: path, field: field.rawValue, columns: twins)
      }
    }
    return positions
  }

  private static func trimmed(_ name: String) -> String {
    String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  /// Refuses a file without addresses or without a requested column.
  func check(
    path: String,
    columns: [String],
    has: (MetadataField) -> Bool
  ) throws(LaionError) {
    if let missing = keptNames?.first(where: { !columns.contains($0) }) {
      throw .noColumn(path: path, name: missing, columns: columns)
    }
    for field in MetadataField.allCases where !has(field) {
      if let name = self[field] { throw .noColumn(path: path, name: name, columns: columns) }
      if field == .url { throw .noURLColumn(path: path, columns: columns) }
    }
  }
}
