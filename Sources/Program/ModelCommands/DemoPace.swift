import Foundation

/// How fast a run of the demonstration painted while its generator learned from pairs alone.
struct DemoPace: Sendable {
  /// Seconds for a thousand images of such steps.
  let secondsPerKimg: Double

  /// The last tick of a run that had such steps only; `nil` if it had none.
  ///
  /// - Parameter log: The run's `stats.jsonl`; lines that are no such figures count for nothing.
  init?(ofRunWith log: Data) {
    // The first tick is a single step, which also takes the first touch of memory.
    let ticks = log.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap {
      (try? JSONSerialization.jsonObject(with: $0)) as? [String: Any]
    }
    let last = ticks.last { $0["Timing/Gpaired"] != nil && $0["Timing/Gmain"] == nil }
    let figure = last?["Timing/sec_per_kimg"] as? [String: Any]
    guard let seconds = figure?["mean"] as? Double, seconds > 0, seconds.isFinite else {
      return nil
    }
    secondsPerKimg = seconds
  }

  /// Whole thousands of images in so many seconds, at least one.
  func kimg(in seconds: Double) -> Int { max(Int(seconds / secondsPerKimg), 1) }
}
