import Files
import Foundation
import Text

/// One file of the metadata folder.
package struct MetadataPart: Equatable, Sendable {
  /// The number of the part and of its split.
  package let number: Int
  /// The file.
  package let path: String

  /// The file's name without its folder.
  package var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The file format, by the file's suffix.
  package enum Format: String, CaseIterable, Sendable {
    case parquet, csv, tsv, jsonl, ndjson, json
    /// A list of addresses, one a line.
    case txt
  }

  /// The file format; Parquet for an unknown suffix.
  package var format: Format { Self.format(of: path) ?? .parquet }

  /// The format by the suffix, without one of gzip or zstd; `nil` if unknown, and for compressed Parquet, whose
  /// pages are compressed already.
  static func format(of path: String) -> Format? {
    let last = suffix(path)
    guard last == "gz" || last == "zst" else { return Format(rawValue: last) }
    let format = Format(rawValue: suffix(String(path.dropLast(last.count + 1))))
    return format == .parquet ? nil : format
  }

  /// The parts in a folder: files `part-*`, else all, of a known format and sorted by name.
  ///
  /// If the folder itself has none, as a clone of a Hugging Face repository, the folders below it are
  /// searched, sorted by path.
  ///
  /// A part has the number in its name, as in `part-00007-….parquet`, so that a folder with
  /// some of the parts gives the same splits. Files without numbers are counted from 0.
  ///
  /// - Parameters:
  ///   - folder: The metadata folder, or a single file.
  ///   - range: The requested parts; `nil` for all.
  /// - Returns: At least one part, in order.
  /// - Throws: `LaionError` when the folder is missing or has too few files.
  package static func list(
    in folder: String,
    range: ClosedRange<Int>?
  ) throws(LaionError) -> [MetadataPart] {
    let all = try numbered(try readable(try files(in: folder)))
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
    let files = try metadata(in: folder, depth: 0)
    if files.isEmpty { throw .noMetadata(folder: folder) }
    let parts = files.filter { name(of: $0).hasPrefix("part-") }
    return parts.isEmpty ? files : parts
  }

  /// What lies beside the parts and is not read, in words: one line a folder.
  ///
  /// - Parameter folder: The metadata folder; a single file has nothing beside it.
  /// - Returns: The lines, sorted by folder.
  /// - Throws: `LaionError` when a folder cannot be read.
  package static func passedOver(in folder: String) throws(LaionError) -> [String] {
    guard isFolder(folder) else { return [] }
    let read = Set(try files(in: folder))
    let parents = Set(read.map { String($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)]) })
    var lines: [String] = []
    for parent in parents.sorted() {
      let names: [String]
      do { names = try listFolder(parent) } catch { throw .file(error) }
      let others = names.filter { name in
        let path = "\(parent)/\(name)"
        return !name.hasPrefix(".") && !read.contains(path) && !isFolder(path)
      }
      guard let first = others.min() else { continue }
      let count = Text.count(others.count, "file")
      lines.append("\(parent): \(count) beside the metadata not read, as \(first)")
    }
    return lines
  }

  /// Refuses what is no regular file, before anything waits for it to be written.
  private static func readable(_ files: [String]) throws(LaionError) -> [String] {
    do throws(FileError) {
      for file in files { try RegularFile.expectReadable(file) }
    } catch {
      throw .file(error)
    }
    return files
  }

  /// The depth limit of the search.
  private static let maximumDepth = 4

  /// The files of a folder, else those below it.
  private static func metadata(in folder: String, depth: Int) throws(LaionError) -> [String] {
    let names: [String]
    do {
      names = try listFolder(folder).filter { !$0.hasPrefix(".") }.sorted()
    } catch {
      throw .file(error)
    }
    // A .txt or .json beside folders of metadata is a licence or a description.
    let files = names.filter { format(of: $0) != nil }.map { "\(folder)/\($0)" }
      .filter { !isFolder($0) }
    let tables = files.filter { ![.txt, .json].contains(format(of: $0)) }
    if !tables.isEmpty { return tables }
    var below: [String] = []
    if depth < maximumDepth {
      for name in names where isFolder("\(folder)/\(name)") {
        below += try metadata(in: "\(folder)/\(name)", depth: depth + 1)
      }
    }
    return below.isEmpty ? files : below
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func name(of path: String) -> Substring { path.split(separator: "/").last ?? "" }

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
