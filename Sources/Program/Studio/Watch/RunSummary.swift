import Files
import Foundation
package import JSON

/// A run in one row of a table.
package struct RunSummary: Sendable, Equatable {
  /// The state of a run.
  package enum State: String, Sendable, CaseIterable {
    /// A live process trains in the folder.
    case running
    /// No live process, and neither its images nor its time are used up.
    case stopped
    /// The watchdog stopped it.
    case collapsed
    /// No live process, and its score has levelled off.
    case converged
    /// Its images or its time are used up.
    case finished
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

  /// The folder, relative to the watched one.
  package let name: String
  /// Its state.
  package var state: State
  /// The cause of the damage, collapse or failure, in one line.
  package var trouble: String?
  /// The id of the training process.
  package var process: Int?
  /// Ticks so far.
  package var tick = 0
  /// Thousands of images so far.
  package var kimg = 0.0
  /// Thousands of images of the whole run.
  package var totalKimg: Double?
  /// Seconds of training so far.
  package var seconds = 0.0
  /// The estimated seconds of training left, at the last tick's speed.
  package var secondsLeft: Double?
  /// The best snapshot.
  package var best: Best?
  /// The number of the watchdog's warnings in the tail of the log.
  package var warnings = 0
  /// The number of the watchdog's rollbacks in the tail of the log.
  package var rollbacks = 0
  /// Whether its score has levelled off, in any state.
  package var isConverged = false
  /// When the last tick ended, in seconds since 1970.
  package var changed = 0.0

  /// Reads a run's folder; an unreadable file makes the state damaged, and nothing is thrown.
  ///
  /// - Parameters:
  ///   - name: The run's name.
  ///   - path: Its folder.
  init(_ name: String, at path: String) {
    self.name = name
    state = .stopped
    do {
      let options = try Self.options(path)
      totalKimg = options?["total_kimg"]?.double
      let timeLimit = options?["nifty"]?["maximum_seconds"]?.double
      try readStatistics(path, timeLimit: timeLimit)
      best = try Self.best(path)
      isConverged = try best.map { try Self.isConverged($0, path) } ?? false
      try readLog(path)
      try readEnding(path, timeLimit: timeLimit)
    } catch {
      state = .damaged
      trouble = "\(error)"
    }
    process = FileLock.holder(ofFolder: path + "/checkpoint")
    if process != nil {
      if state != .damaged { trouble = nil }
      state = .running
    } else {
      secondsLeft = nil
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
      "best": best ?? .null, "warnings": .int(warnings), "rollbacks": .int(rollbacks),
      "converged": .bool(isConverged), "changed": .double(changed),
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
    secondsLeft = [byImages, byTime].compactMap { $0 }.filter { $0.isFinite && $0 >= 0 }.min()
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

  private mutating func readLog(_ path: String) throws(FileError) {
    guard exists(path + "/log.txt") else { return }
    let lines = try OpenedFile(path + "/log.txt").lastLines(within: 64 << 10)
    warnings = lines.count { RunMark.isWarning($0) && !RunMark.isRollback($0) }
    rollbacks = lines.count { RunMark.isRollback($0) }
  }

  /// Reads the ending of the last session, and derives it from the numbers where there is no such file: a
  /// run that was killed, or is of an older version, has none.
  private mutating func readEnding(_ path: String, timeLimit: Double?) throws(FileError) {
    let isFull = totalKimg.map { $0 > 0 && kimg >= $0 } ?? false
    // The time limit is checked between steps, so the last tick is never before it.
    let isTimeUp = timeLimit.map { $0 > 0 && seconds >= $0 } ?? false
    if isFull || isTimeUp { state = .finished }
    let name = path + "/ending.json"
    if exists(name) {
      let text = try OpenedFile(name).text(upTo: 64 << 10)
      guard let json = OptionValue(json: text), let word = json["ending"]?.string else {
        throw FileError("read", path: name, reason: "it says no ending")
      }
      trouble = (json["reason"]?.string).map { String($0.prefix(1000)) }
      if word == "collapsed" { state = .collapsed }
      // Also finished: a run that continued with a limit below its state.
      if word == "finished" { state = .finished }
    }
    if isConverged, state == .stopped || state == .finished { state = .converged }
  }

  /// The least number of scores after the best one.
  private static let scoresOfConvergence = 5

  /// Whether the score has levelled off: within 1% of its best at two thirds of its snapshots or before, at
  /// least five snapshots since then, and the last one within 10% of the best.
  private static func isConverged(_ best: Best, _ path: String) throws(FileError) -> Bool {
    guard Curve.metrics(try listFolder(path)).contains(best.metric) else { return false }
    let key = StatisticLines.scoreKey(best.metric)
    let lines = try OpenedFile("\(path)/metric-\(best.metric).jsonl").lastLines(within: 1 << 20)
    let scores = lines.compactMap { line in
      Array(line.utf8).withUnsafeBytes { StatisticLines.score(key, in: $0)?.value }
    }
    let room = abs(best.value) / 100
    guard let first = scores.firstIndex(where: { abs($0 - best.value) <= room }) else {
      return false
    }
    let after = scores.count - 1 - first
    let isNear = scores.last.map { abs($0 - best.value) <= 10 * room } ?? false
    return isNear && after >= scoresOfConvergence && 3 * after >= scores.count
  }
}
