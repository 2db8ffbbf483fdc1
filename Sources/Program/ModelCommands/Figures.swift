import Files
import Foundation

/// Files of named numbers, which one stage writes and the next reads.
enum Figures {
  static func write(_ figures: [(String, Double)], to path: String) throws {
    let lines = figures.map { name, value in
      "  \"\(name)\": \(value.isFinite ? "\(value)" : "null")"
    }
    try AtomicFile.write("{\n\(lines.joined(separator: ",\n"))\n}\n", to: path)
  }

  static func read(_ path: String) throws -> [String: Double] {
    let data = try Data(contentsOf: URL(filePath: path))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
  }
}
