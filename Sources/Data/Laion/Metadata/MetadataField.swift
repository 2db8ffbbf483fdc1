import Parquet

/// What a column of metadata may say about an image.
package enum MetadataField: String, Codable, CaseIterable, Sendable {
  case id, url, caption, width, height, nsfw, similarity, licence, language, watermark
  case unsafety = "unsafe"

  /// The name under which a batch gives the column; no file calls a column so.
  var key: String { "field \(rawValue)" }

  /// The names under which published metadata has the column, LAION-400M's first.
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

/// Where the fields of a row are found: under the names given, else under the usual ones.
package struct MetadataColumns: Codable, Equatable, Sendable {
  /// Field → name of its column.
  package var names: [String: String] = [:]

  /// The names of all columns, for text without a header; `nil` for text whose first row says them.
  package var header: [String]?
  /// Columns that are carried along into the index; `nil` for none.
  package var keptNames: [String]?

  /// Columns under their usual names.
  package init() {}

  /// The name given for a field; `nil` when the usual ones are tried.
  package subscript(field: MetadataField) -> String? {
    get { names[field.rawValue] }
    set { names[field.rawValue] = newValue }
  }

  var parquet: [ParquetColumn] {
    MetadataField.allCases.map { field in
      let candidates = self[field].map { [$0] } ?? field.usualNames
      // What is only for filters and the index may be of any type: it then counts as unknown.
      let isRequired = field == .url || field == .caption || self[field] != nil
      return ParquetColumn(field.key, alternatives: candidates, isRequired: isRequired)
    } + (keptNames ?? []).map { ParquetColumn(Self.key(ofKept: $0), alternatives: [$0]) }
  }

  /// The name under which a batch gives a column that is carried along.
  static func key(ofKept name: String) -> String { "kept \(name)" }

  /// The positions of the columns that are carried along, all of which are there.
  func keptPositions(in header: [String]) -> [Int] {
    (keptNames ?? []).compactMap { header.firstIndex(of: $0) }
  }

  /// The position of each field among columns of these names.
  ///
  /// - Throws: `LaionError` when there is no address, or none of a name that was given.
  func positions(in header: [String], path: String) throws(LaionError) -> [MetadataField: Int] {
    var positions: [MetadataField: Int] = [:]
    let lowercased = header.map { $0.lowercased() }
    for field in MetadataField.allCases {
      let candidates = self[field].map { [$0] } ?? field.usualNames
      positions[field] =
        candidates.lazy.compactMap { header.firstIndex(of: $0) }.first
        ?? candidates.lazy.compactMap { lowercased.firstIndex(of: $0.lowercased()) }.first
    }
    try check(path: path, columns: header) { positions[$0] != nil }
    return positions
  }

  /// Refuses a file without addresses or without a column that was asked for by name.
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
