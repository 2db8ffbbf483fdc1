import Files
import Foundation
import JSON

/// Files of named numbers, which one stage writes and the next reads.
enum Figures {
  static func write(_ figures: [(String, Double)], to path: String) throws {
    let values = figures.map { name, value in
      OptionValue.Entry(name, value.isFinite ? .double(value) : .null)
    }
    try AtomicFile.write(OptionValue.dictionary(values).prettyJSON, to: path)
  }

  static func read(_ path: String) throws -> [String: Double] {
    let data = try Data(contentsOf: URL(filePath: path))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
  }
}
