import Foundation
import Files
import Parquet

/// One Parquet file of the metadata folder.
package struct MetadataPart: Equatable, Sendable {
  /// The number of the part and of its split, from 0 in sorted order.
  package let number: Int
  /// The file.
  package let path: String

  /// The file's name without its folder.
  package var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The parts in a folder: files `part-*.parquet`, else all `*.parquet`, sorted by name.
  ///
  /// - Parameters:
  ///   - folder: The metadata folder.
  ///   - range: The parts asked for; `nil` for all.
  /// - Returns: At least one part, in order.
  /// - Throws: `LaionError` when the folder is missing or has too few files.
  package static func list(
    in folder: String,
    range: ClosedRange<Int>?
  ) throws(LaionError) -> [MetadataPart] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .file(FileError("list folder", path: folder, code: ENOENT))
    }
    let files = names.filter { $0.hasSuffix(".parquet") && !$0.hasPrefix(".") }.sorted()
    let parts = files.filter { $0.hasPrefix("part-") }
    let chosen = parts.isEmpty ? files : parts
    if chosen.isEmpty { throw .noMetadata(folder: folder) }
    let range = range ?? 0...chosen.count - 1
    if let missing = [range.lowerBound, range.upperBound].first(where: {
      !chosen.indices.contains($0)
    }) {
      throw .noSuchPart(part: missing, folder: folder, count: chosen.count)
    }
    return range.map { MetadataPart(number: $0, path: "\(folder)/\(chosen[$0])") }
  }
}

/// Reads the rows of a part one after another.
struct MetadataRows {
  /// Rows in the part, as its footer says.
  let rowCount: Int

  private let reader: ParquetReader
  private var batch: ColumnBatch?
  private var position = 0

  init(_ part: MetadataPart) throws(LaionError) {
    do throws(ParquetError) {
      reader = try ParquetReader(path: part.path, columns: MetadataRow.columns)
    } catch {
      throw .parquet(error)
    }
    guard reader.has("URL") else {
      throw .noURLColumn(path: part.path, columns: reader.columnNames)
    }
    rowCount = reader.rowCount
  }

  mutating func next() throws(LaionError) -> MetadataRow? {
    while true {
      if let batch, position < batch.rowCount {
        defer { position += 1 }
        return MetadataRow(batch, position)
      }
      do throws(ParquetError) {
        guard let next = try reader.next() else { return nil }
        batch = next
      } catch {
        throw .parquet(error)
      }
      position = 0
    }
  }
}
