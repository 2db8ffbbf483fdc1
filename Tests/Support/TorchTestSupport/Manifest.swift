import Foundation

/// The manifest of the golden folder as plain JSON, for tests that run every case that is there.
package struct Manifest {
  /// The whole of one file's entry.
  package let entry: [String: Any]

  /// The entry of a file, or of nothing if the manifest does not name it.
  package init(of file: String) throws {
    let data = try Data(contentsOf: URL(filePath: Golden.path("manifest.json")))
    let all = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    entry = all[file] as? [String: Any] ?? [:]
  }

  /// The `config` of the entry.
  package var config: [String: Any] { entry["config"] as? [String: Any] ?? [:] }

  /// The `cases` of the config.
  package var cases: [[String: Any]] { config.cases("cases") }

  /// Names without extension of all files of the folder that the manifest or the folder itself knows
  /// and that start and end as asked, sorted.
  package static func files(prefix: String, suffix: String = "") -> [String] {
    let names = Golden.manifestNames.union(Golden.names()).filter { $0.hasSuffix(".safetensors") }
    return names.map { String($0.dropLast(".safetensors".count)) }
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }.sorted()
  }
}

extension [String: Any] {
  /// A whole number, or `nil` if the key is missing or null.
  package func int(_ key: String) -> Int? { self[key] as? Int }
  /// A number, or `nil` if the key is missing or null.
  package func double(_ key: String) -> Double? { (self[key] as? NSNumber)?.doubleValue }
  /// A flag; false if the key is missing.
  package func flag(_ key: String) -> Bool { self[key] as? Bool ?? false }
  /// A text; empty if the key is missing.
  package func text(_ key: String) -> String { self[key] as? String ?? "" }
  /// A nested object; empty if the key is missing.
  package func object(_ key: String) -> [String: Any] { self[key] as? [String: Any] ?? [:] }
  /// A list of objects; empty if the key is missing.
  package func cases(_ key: String) -> [[String: Any]] { self[key] as? [[String: Any]] ?? [] }
  /// A number or a list of numbers as a list; empty if the key is missing.
  package func ints(_ key: String) -> [Int] {
    if let one = self[key] as? Int { return [one] }
    return self[key] as? [Int] ?? []
  }
}
