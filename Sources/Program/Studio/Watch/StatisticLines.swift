import Files
import Glibc
import Snapshots

/// Extracts single numbers from lines of `stats.jsonl` without parsing the whole line.
enum StatisticLines {
  /// The mean of a statistic in one line; `nil` if the line lacks it or has another format.
  static func mean(_ name: [UInt8], in line: UnsafeRawBufferPointer) -> Double? {
    // "Loss/G/loss": {"num": 80, "mean": 57.3, "std": 1.0}
    guard let after = end(of: name, in: line),
      let value = end(of: meanKey, in: UnsafeRawBufferPointer(rebasing: line[after...]))
    else { return nil }
    return number(at: after + value, in: line)
  }

  /// The score in a line of a metric's file, at the images of its snapshot; its hours are unknown.
  static func score(_ key: [UInt8], in line: UnsafeRawBufferPointer) -> Curve.Point? {
    // {"results": {"fd_lite0": 176.1}, …, "snapshot_pkl": "network-snapshot-000012.pkl", …}
    guard let after = end(of: key, in: line), let value = number(at: after, in: line),
      value.isFinite, let snapshot = end(of: snapshotKey, in: line)
    else { return nil }
    let file = String(decoding: line[snapshot...].prefix { $0 != 34 }.prefix(300), as: UTF8.self)
    guard let kimg = SnapshotName.kimg(of: file) else { return nil }
    return Curve.Point(kimg: Double(kimg), hours: .nan, value: value)
  }

  /// The bytes before the score of a metric.
  static func scoreKey(_ metric: String) -> [UInt8] { Array("\"\(metric)\": ".utf8) }

  private static let snapshotKey = Array("\"snapshot_pkl\": \"".utf8)

  private static func number(at start: Int, in line: UnsafeRawBufferPointer) -> Double? {
    let rest = line[start...].prefix { $0 != 44 && $0 != 125 }.prefix(40)
    return Double(String(decoding: rest, as: UTF8.self))
  }

  /// The search pattern: the name in quotes with the beginning of its object.
  static func key(_ name: String) -> [UInt8] { Array("\"\(name)\": {".utf8) }

  private static let meanKey = Array("\"mean\": ".utf8)

  /// The position behind the first occurrence.
  private static func end(of words: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    firstPosition(of: words, in: bytes).map { $0 + words.count }
  }

  /// Calls a closure with each line.
  static func forEach(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { all in
      var start = 0
      while start < all.count, let base = all.baseAddress {
        let length = memchr(base + start, 10, all.count - start).map {
          UnsafeRawPointer($0) - (base + start)
        }
        let end = start + (length ?? all.count - start)
        body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
        start = end + 1
      }
    }
  }
}
