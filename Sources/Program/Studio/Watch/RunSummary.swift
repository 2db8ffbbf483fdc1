import Files
import Foundation
package import JSON

/// A run in one row of a table.
package struct RunSummary: Sendable, Equatable {
  /// What a run is doing.
  package enum State: String, Sendable {
    /// A process trains in the folder.
    case running
    /// No process does, and images are missing.
    case stopped
    /// All images are done.
    case complete
    /// Its files cannot be read.
    case damaged
  }

  /// The best snapshot so far.
  package struct Best: Sendable, Equatable {
    /// The metric's name.
    package let metric: String
    /// Its value.
    package let value: Double
    /// The snapshot's file.
    package let snapshot: String
  }

  /// The folder, below the one that is watched.
  package let name: String
  /// What it is doing.
  package var state: State
  /// Why it is damaged, in one line.
  package var trouble: String?
  /// The process that trains.
  package var process: Int?
  /// Ticks so far.
  package var tick = 0
  /// Thousands of images so far.
  package var kimg = 0.0
  /// Thousands of images of the whole run.
  package var totalKimg: Double?
  /// Seconds of training so far.
  package var seconds = 0.0
  /// Seconds of training that are left at the last tick's speed.
  package var secondsLeft: Double?
  /// The best snapshot.
  package var best: Best?
  /// Warnings of the watchdog in the log's last part.
  package var warnings = 0
  /// When the last tick ended, in seconds since 1970.
  package var changed = 0.0

  /// Looks at a run's folder; nothing is thrown: what cannot be read makes it damaged.
  ///
  /// - Parameters:
  ///   - name: What the run is called.
  ///   - path: Its folder.
  init(_ name: String, at path: String) {
    self.name = name
    state = .stopped
    do {
      let options = try Self.options(path)
      totalKimg = options?["total_kimg"]?.double
      try readStatistics(path, timeLimit: options?["nifty"]?["maximum_seconds"]?.double)
      best = try Self.best(path)
      warnings = try Self.warnings(path)
    } catch {
      state = .damaged
      trouble = "\(error)"
    }
    process = FileLock.holder(ofFolder: path + "/checkpoint")
    if process != nil {
      state = .running
    } else {
      secondsLeft = nil
      if state == .stopped, let totalKimg, totalKimg > 0, kimg >= totalKimg { state = .complete }
    }
  }

  /// The summary for programs.
  package var json: OptionValue {
    let best: OptionValue? = best.map {
      [
        "metric": .string($0.metric), "value": .double($0.value), "snapshot": .string($0.snapshot),
      ]
    }
    let row: OptionValue = [
      "name": .string(name), "state": .string(state.rawValue), "tick": .int(tick),
      "kimg": .double(kimg), "total_kimg": totalKimg.map { .double($0) } ?? .null,
      "seconds": .double(seconds), "seconds_left": secondsLeft.map { .double($0) } ?? .null,
      "best": best ?? .null, "warnings": .int(warnings), "changed": .double(changed),
      "process": process.map { .int($0) } ?? .null,
    ]
    return row.adding("trouble", trouble.map { .string($0) })
  }

  private mutating func readStatistics(_ path: String, timeLimit: Double?) throws(FileError) {
    guard exists(path + "/stats.jsonl") else { return }
    let file = try OpenedFile(path + "/stats.jsonl")
    changed = file.changed
    let lines = try file.lastLines(within: 64 << 10)
    if lines.isEmpty, file.size == 0 { return }
    guard let last = lines.last.flatMap({ OptionValue(json: String($0)) }),
      let kimg = last["Progress/kimg"]?["mean"]?.double
    else {
      throw FileError("read", path: path + "/stats.jsonl", reason: "its last line is damaged")
    }
    self.kimg = kimg
    tick = last["Progress/tick"]?["mean"]?.double.flatMap { Int(exactly: $0) } ?? 0
    seconds = last["Timing/total_sec"]?["mean"]?.double ?? 0
    let secondsOfKimg = last["Timing/sec_per_kimg"]?["mean"]?.double
    let byImages = totalKimg.flatMap { total in secondsOfKimg.map { max(total - kimg, 0) * $0 } }
    let byTime = timeLimit.map { max($0 - seconds, 0) }
    secondsLeft = [byImages, byTime].compactMap { $0 }.filter(\.isFinite).min()
  }

  private static func options(_ path: String) throws(FileError) -> OptionValue? {
    let name = path + "/training_options.json"
    guard exists(name) else { return nil }
    let text = try OpenedFile(name).text(upTo: 4 << 20)
    guard let options = OptionValue(json: text) else {
      throw FileError("read", path: name, reason: "it is no JSON")
    }
    return options
  }

  private static func best(_ path: String) throws(FileError) -> Best? {
    let name = path + "/best.json"
    guard exists(name) else { return nil }
    let text = try OpenedFile(name).text(upTo: 64 << 10)
    guard let json = OptionValue(json: text), let metric = json["metric"]?.string,
      let value = json["value"]?.double, let snapshot = json["snapshot"]?.string
    else { throw FileError("read", path: name, reason: "it names no snapshot") }
    return Best(metric: metric, value: value, snapshot: snapshot)
  }

  private static func warnings(_ path: String) throws(FileError) -> Int {
    guard exists(path + "/log.txt") else { return 0 }
    return try OpenedFile(path + "/log.txt").lastLines(within: 64 << 10)
      .count { RunMark.isWarning($0) }
  }
}
