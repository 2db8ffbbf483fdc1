import Files
import Foundation

/// One file of the metadata folder.
package struct MetadataPart: Equatable, Sendable {
  /// The number of the part and of its split.
  package let number: Int
  /// The file.
  package let path: String

  /// The file's name without its folder.
  package var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// How the file is written, by its name.
  package enum Format: String, CaseIterable, Sendable {
    case parquet, csv, tsv, jsonl, ndjson
  }

  /// How the file is written; Parquet if its name does not tell.
  package var format: Format { Format(rawValue: Self.suffix(path)) ?? .parquet }

  /// The parts in a folder: files `part-*`, else all, of a known format and sorted by name.
  ///
  /// A part has the number in its name, as `part-00007-….parquet` says it, so that a folder with
  /// some of the parts gives the same splits. Files without numbers are counted from 0.
  ///
  /// - Parameters:
  ///   - folder: The metadata folder, or a single file.
  ///   - range: The parts asked for; `nil` for all.
  /// - Returns: At least one part, in order.
  /// - Throws: `LaionError` when the folder is missing or has too few files.
  package static func list(
    in folder: String,
    range: ClosedRange<Int>?
  ) throws(LaionError) -> [MetadataPart] {
    let all = try numbered(try files(in: folder))
    guard let range else { return all }
    let byNumber = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0) })
    if let missing = range.first(where: { byNumber[$0] == nil }) {
      throw .noSuchPart(part: missing, folder: folder, count: all.count)
    }
    return range.compactMap { byNumber[$0] }
  }

  private static func files(in folder: String) throws(LaionError) -> [String] {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), !isFolder.boolValue {
      return [folder]
    }
    let names: [String]
    do {
      names = try listFolder(folder)
    } catch {
      throw .file(error)
    }
    let files = names.filter { Format(rawValue: suffix($0)) != nil && !$0.hasPrefix(".") }.sorted()
    if files.isEmpty { throw .noMetadata(folder: folder) }
    let parts = files.filter { $0.hasPrefix("part-") }
    return (parts.isEmpty ? files : parts).map { "\(folder)/\($0)" }
  }

  private static func numbered(_ files: [String]) throws(LaionError) -> [MetadataPart] {
    let numbers = files.map { path -> Int? in
      let name = path.split(separator: "/").last ?? ""
      guard name.hasPrefix("part-") else { return nil }
      return Int(name.dropFirst(5).prefix { $0.isASCII && $0.isNumber })
    }
    let known = numbers.compactMap { $0 }
    let areDistinct = known.count == files.count && Set(known).count == files.count
    return files.enumerated()
      .map { MetadataPart(number: areDistinct ? known[$0] : $0, path: $1) }
      .sorted { $0.number < $1.number }
  }

  private static func suffix(_ path: String) -> String {
    path.lastIndex(of: ".").map { path[path.index(after: $0)...].lowercased() } ?? ""
  }
}
