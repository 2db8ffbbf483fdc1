package import Files
import Foundation
import Snapshots

/// The values of one metric over one run, from its `metric-NAME.jsonl`.
package struct MetricHistory: Equatable, Sendable {
  /// One value at one snapshot.
  package struct Entry: Equatable, Sendable {
    /// Thousands of images that the generator had seen.
    package var kimg: Int
    /// The value; NaN if the line has none.
    package var value: Double
    /// The snapshot's file name.
    package var snapshot: String

    /// A value.
    package init(kimg: Int, value: Double, snapshot: String) {
      self.kimg = kimg
      self.value = value
      self.snapshot = snapshot
    }
  }

  /// The name of the value: a metric's name, perhaps with `_mean` or `_precision` behind it.
  package let name: String
  /// The values, one per snapshot, sorted by kimg.
  package let entries: [Entry]
  /// The measurements' protocols, as JSON with sorted keys, without repetition.
  package let protocols: [String]

  /// A history with given values.
  package init(name: String, entries: [Entry], protocols: [String] = []) {
    self.name = name
    self.entries = entries
    self.protocols = protocols
  }

  /// Whether larger is better.
  package var prefersLarge: Bool {
    // The name of an encoder may end as a share does.
    if ["fd_", "mmd_"].contains(where: name.hasPrefix) { return false }
    let shares = ["_precision", "_recall", "_density", "_coverage", "_mean"]
    return shares.contains(where: name.hasSuffix)
      || ["clip_score", "r_precision", "judge_top1", "variety_judge"].contains(name)
  }

  /// The best entry, if any value is a number; the first among equals.
  package var best: Entry? {
    entries.filter(\.value.isFinite).reduce(nil) { best, entry in
      guard let best else { return entry }
      return isBetter(entry.value, than: best.value) ? entry : best
    }
  }

  /// Snapshots with a value since the best one.
  package var snapshotsSinceBest: Int {
    guard let best else { return 0 }
    return entries.count { $0.kimg > best.kimg && $0.value.isFinite }
  }

  /// Whether the last `patience` snapshots brought no improvement.
  package func hasConverged(patience: Int) -> Bool {
    precondition(patience >= 1, "a patience of \(patience) snapshots")
    return snapshotsSinceBest >= patience
  }

  private func isBetter(_ a: Double, than b: Double) -> Bool { prefersLarge ? a > b : a < b }

  /// Reads the histories in a file of metric lines, one for each name in its results.
  ///
  /// A later line for a snapshot replaces an earlier one. Invalid lines are counted, not fatal: a full disk
  /// may leave half of one.
  ///
  /// - Parameter path: A `metric-NAME.jsonl`.
  /// - Returns: Histories in the order of their first values, and the number of invalid lines.
  /// - Throws: `FileError` if the file cannot be read.
  package static func read(
    _ path: String
  ) throws(FileError) -> (histories: [MetricHistory], unreadable: Int) {
    let file = try MappedFile(path)
    var names: [String] = []
    var values: [String: [Int: Entry]] = [:]
    var protocols: [String: [String]] = [:]
    var unreadable = 0
    for line in file.withBytes({ Data($0) }).split(separator: UInt8(ascii: "\n")) {
      guard let line = Line(line) else {
        unreadable += 1
        continue
      }
      for (name, value) in line.results {
        if values[name] == nil { names.append(name) }
        let entry = Entry(kimg: line.kimg, value: value, snapshot: line.snapshot)
        values[name, default: [:]][line.kimg] = entry
        if let text = line.measurement, protocols[name]?.contains(text) != true {
          protocols[name, default: []].append(text)
        }
      }
    }
    let histories = names.map { name in
      MetricHistory(
        name: name,
        entries: (values[name] ?? [:]).values.sorted { $0.kimg < $1.kimg },
        protocols: protocols[name] ?? []
      )
    }
    return (histories, unreadable)
  }
}

/// The fields of a line.
private struct Line {
  var results: [(name: String, value: Double)]
  var kimg: Int
  var snapshot: String
  var measurement: String?

  init?(_ bytes: Data) {
    guard bytes.count <= 1 << 20,
      let object = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any],
      let results = object["results"] as? [String: Any],
      let snapshot = object["snapshot_pkl"] as? String, let kimg = SnapshotName.kimg(of: snapshot)
    else { return nil }
    self.results = results.sorted { $0.key < $1.key }
      .map { ($0.key, ($0.value as? NSNumber)?.doubleValue ?? .nan) }
    self.kimg = kimg
    self.snapshot = snapshot
    measurement = object["protocol"].flatMap(Self.json)
  }

  /// An object or list as text; `nil` for a scalar, for which Foundation would trap.
  private static func json(_ value: Any) -> String? {
    guard JSONSerialization.isValidJSONObject(value),
      let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys])
    else { return nil }
    return String(decoding: data, as: UTF8.self)
  }
}
