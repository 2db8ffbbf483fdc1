import Foundation
import Torch

/// Number, mean and standard deviation of the values reported since the last tick.
package struct RunningStatistics: Codable, Equatable, Sendable {
  /// The summary of one name in `stats.jsonl`.
  package struct Summary: Codable, Equatable, Sendable {
    /// Values reported.
    package var num: Int
    /// Their mean.
    package var mean: Double
    /// Their standard deviation (over n).
    package var std: Double

    /// A summary of known values.
    package init(num: Int, mean: Double, std: Double) {
      self.num = num
      self.mean = mean
      self.std = std
    }
  }

  private struct Sums: Codable, Equatable, Sendable {
    var count = 0
    var sum = 0.0
    var squares = 0.0
  }

  private var sums: [String: Sums] = [:]
  private var order: [String] = []

  /// Nothing reported yet.
  package init() {}

  /// Whether nothing was reported yet.
  package var isEmpty: Bool { order.isEmpty }

  /// The largest number of values under one name.
  var largestCount: Int { sums.values.map(\.count).max() ?? 0 }

  /// Adds values under a name.
  package mutating func report(_ name: String, _ values: [Double]) {
    if sums[name] == nil { order.append(name) }
    let old = sums[name] ?? Sums()
    sums[name] = Sums(
      count: old.count + values.count,
      sum: old.sum + values.reduce(0, +),
      squares: old.squares + values.reduce(0) { $0 + $1 * $1 }
    )
  }

  /// The summaries in the order of first report.
  package var summaries: [(name: String, summary: Summary)] {
    order.compactMap { name in
      guard let entry = sums[name], entry.count > 0 else { return nil }
      let count = Double(entry.count)
      let mean = entry.sum / count
      let variance = max(entry.squares / count - mean * mean, 0)
      return (name, Summary(num: entry.count, mean: mean, std: variance.squareRoot()))
    }
  }

  /// The mean under a name, if anything was reported.
  package func mean(_ name: String) -> Double? {
    sums[name].map { $0.sum / Double(max($0.count, 1)) }
  }

  /// One line of `stats.jsonl`: the original's keys in order of first report, then a timestamp.
  package func line(timestamp: Double) -> String {
    let entries = summaries.map { name, summary in
      "\"\(name)\": {\"num\": \(summary.num), \"mean\": \(json(summary.mean)), "
        + "\"std\": \(json(summary.std))}"
    }
    return "{" + (entries + ["\"timestamp\": \(timestamp)"]).joined(separator: ", ") + "}"
  }

  // Python's json writes and reads NaN and Infinity; the original's readers expect them.
  private func json(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
  }
}
