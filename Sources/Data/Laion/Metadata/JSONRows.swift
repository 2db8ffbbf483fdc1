import Foundation

/// Reads rows of JSON: one object a line, or an array of objects.
///
/// A line or an element that is no object counts as an unreadable row; the others are kept.
final class JSONRows {
  private let file: TextFile
  private let names: [MetadataField: [String]]
  private let kept: [String]
  private let array: JSONElements?
  private var row = 0

  private static let maximumLine = 1 << 20

  /// - Parameters:
  ///   - path: The file.
  ///   - columns: The columns of the fields.
  ///   - isArray: Whether it may be one array; else each line is an object.
  /// - Throws: `LaionError.file` if it cannot be opened.
  init(_ path: String, _ columns: MetadataColumns, isArray: Bool = false) throws(LaionError) {
    file = try TextFile(path)
    array = isArray ? JSONElements(file, limit: Self.maximumLine) : nil
    kept = columns.keptNames ?? []
    var names: [MetadataField: [String]] = [:]
    for field in MetadataField.allCases {
      names[field] =
        columns[field].map { [$0] }
        ?? field.usualNames.flatMap { $0 == $0.lowercased() ? [$0] : [$0, $0.lowercased()] }
    }
    self.names = names
  }

  func next() throws(LaionError) -> MetadataRow? {
    while let line = try text() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      defer { row += 1 }
      let value = try? JSONSerialization.jsonObject(with: Data(line))
      guard let object = value as? [String: Any] else {
        return MetadataRow(row: row, isReadable: false)
      }
      var result = MetadataRow(row: row) { field in
        names[field]?.lazy.compactMap { Self.text(object[$0]) }.first
      }
      result.kept = kept.map { Self.text(object[$0]) }
      return result
    }
    return nil
  }

  /// The text of the next object.
  private func text() throws(LaionError) -> [UInt8]? {
    guard let array else { return try file.line(limit: Self.maximumLine) }
    return try array.next(row: row)
  }

  private static func text(_ value: Any?) -> String? {
    switch value {
    case let text as String: text
    // Several captions are several lines.
    case let texts as [Any]:
      texts.isEmpty ? nil : texts.compactMap { self.text($0) }.joined(separator: "\n")
    case let number as NSNumber: number.stringValue
    default: nil
    }
  }
}
