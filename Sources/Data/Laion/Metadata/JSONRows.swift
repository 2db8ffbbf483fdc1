import Foundation

/// Reads rows of JSON, one object a line.
///
/// A line that is no object gives a row that cannot be read, which is counted: one bad line does not
/// cost the others.
final class JSONRows {
  private let file: TextFile
  private let names: [MetadataField: [String]]
  private var row = 0

  private static let maximumLine = 1 << 20

  init(_ path: String, _ columns: MetadataColumns) throws(LaionError) {
    file = try TextFile(path)
    var names: [MetadataField: [String]] = [:]
    for field in MetadataField.allCases {
      names[field] =
        columns[field].map { [$0] }
        ?? field.usualNames.flatMap { $0 == $0.lowercased() ? [$0] : [$0, $0.lowercased()] }
    }
    self.names = names
  }

  func next() throws(LaionError) -> MetadataRow? {
    while let line = try file.line(limit: Self.maximumLine) {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      defer { row += 1 }
      let value = try? JSONSerialization.jsonObject(with: Data(line))
      guard let object = value as? [String: Any] else {
        return MetadataRow(row: row, isReadable: false)
      }
      return MetadataRow(row: row) { field in
        names[field]?.lazy.compactMap { Self.text(object[$0]) }.first
      }
    }
    return nil
  }

  private static func text(_ value: Any?) -> String? {
    switch value {
    case let text as String: text
    case let number as NSNumber: number.stringValue
    default: nil
    }
  }
}
