import Files
import Foundation

/// The counts of a split, as `stats.json` has them.
///
/// The file is written last: a split that has it is finished.
package struct SplitStatistics: Codable, Equatable, Sendable {
  /// The number of the split.
  package var split: Int
  /// The file name of the metadata part.
  package var part: String
  /// The limit on pairs.
  package var target: Int
  /// Pairs stored.
  package var pairs: Int
  /// Whether the part ended before the split was full.
  package var isExhausted: Bool
  /// Rows of the part that were read.
  package var rowsRead: Int
  /// Rows of the part; `nil` for a text file that was not read to its end.
  package var rowsInPart: Int?
  /// Bytes of the images as downloaded.
  package var bytesDownloaded: Int
  /// Rows dropped by their metadata, by cause.
  package var filtered: [String: Int]
  /// Failed rows, by cause.
  package var failures: [String: Int]
  /// Rows whose captions were not UTF-8 and were read as Windows-1252; `nil` in splits of earlier
  /// versions, which lost such letters.
  package var recodedCaptions: Int?
  /// Seconds of the run that finished the split.
  package var seconds: Double

  /// Whether the split is full at `target` pairs, or has no more rows.
  func isComplete(for target: Int) -> Bool { pairs >= target || isExhausted }

  /// Reads `stats.json`; `nil` if it is missing or damaged, which a rerun repairs.
  package static func read(_ path: String) -> SplitStatistics? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let read = try? JSONDecoder().decode(SplitStatistics.self, from: data)
    return read?.isPlausible == true ? read : nil
  }

  /// Whether the counts are plausible: their sums do not overflow.
  private var isPlausible: Bool {
    let counts = [pairs, rowsRead, rowsInPart ?? 0, bytesDownloaded, recodedCaptions ?? 0]
    return (counts + filtered.values + failures.values).allSatisfy { (0...1 << 50).contains($0) }
      && target >= 0
  }

  func write(to path: String) throws(FileError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else {
      throw FileError("encode", path: path, reason: "the statistics are not representable")
    }
    try AtomicFile.write(Array(data) + [0x0A], to: path)
  }
}
