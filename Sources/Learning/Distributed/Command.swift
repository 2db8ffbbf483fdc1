package import Foundation
package import Torch

/// What rank 0 tells the others to do next.
///
/// Rank 0 alone decides: it keeps the clock, the folder and the watchdog. The others follow.
package enum Command: Int64 {
  /// Take a step.
  case step
  /// Wait until rank 0 has done something that takes long.
  case wait
  /// Take part in looking at images for a metric.
  case score
  /// Take over the state that rank 0 sends.
  case state
  /// The run is over.
  case finish
  /// The run was asked to stop, and can be continued.
  case interrupt
}

extension Ranks {
  /// Tells the others what to do next; called by rank 0.
  package func command(_ command: Command) {
    guard isShared else { return }
    precondition(rank == 0, "rank \(rank) gives commands")
    copyFromFirst([Tensor([command.rawValue])])
  }

  /// What rank 0 tells this rank to do next.
  ///
  /// - Throws: `RanksError` if rank 0 is gone.
  package func nextCommand() throws -> Command {
    let number = Tensor([Int64(-1)])
    copyFromFirst([number])
    try check()
    guard let command = Command(rawValue: number.values(Int64.self)[0]) else {
      throw RanksError("rank 0 says something that rank \(rank) does not understand")
    }
    return command
  }

  /// Waits until every rank has come this far, however long each takes for what is before.
  ///
  /// - Throws: `RanksError` naming a rank that stopped, hangs or is not heard of.
  package func meet() throws {
    guard isShared, let heartbeat else { return }
    leave("ready", under: "ready-\(rank)")
    heartbeat.watch(others)
    defer { heartbeat.unwatch() }
    var missing = others
    while true {
      missing.removeAll { found(under: "ready-\($0)") != nil }
      if missing.isEmpty { return }
      try check()
      progress.mark()
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  /// Does something that takes long, as scoring a snapshot, while the others only watch that this
  /// process lives and gets ahead, and it that they do; called by rank 0.
  package func whileOthersWait<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard isShared else { return try body() }
    beginWait()
    defer { endWait() }
    return try body()
  }

  /// Looks at images together with the others; called by rank 0 while they wait.
  ///
  /// - Parameters:
  ///   - job: The number of what is looked at, for those who know what it means.
  ///   - body: This rank's part.
  /// - Returns: What `body` gives.
  package func withOthers<Result>(
    _ job: Int,
    _ body: () throws -> Result
  ) rethrows -> Result {
    endWait()
    defer { beginWait() }
    command(.score)
    copyFromFirst([Tensor([Int64(job)])])
    return try body()
  }

  /// The number of what rank 0 wants looked at.
  package func scoredJob() throws -> Int {
    let number = Tensor([Int64(-1)])
    copyFromFirst([number])
    try check()
    return Int(number.values(Int64.self)[0])
  }

  private func beginWait() {
    command(.wait)
    waits += 1
    heartbeat?.watch(others)
  }

  private func endWait() {
    heartbeat?.unwatch()
    leave("done", under: "wait-\(waits)")
  }

  private var others: [Int] { (0..<count).filter { $0 != rank } }

  /// Waits for the end of what rank 0 does; called by the others.
  ///
  /// - Throws: `RanksError` if rank 0 stopped, gets nowhere, or has not been heard of for too
  ///   long.
  package func waitForFirst() throws {
    waits += 1
    heartbeat?.watch([0])
    defer { heartbeat?.unwatch() }
    while found(under: "wait-\(waits)") == nil {
      try check()
      progress.mark()
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Every rank's reports of a step, and whether any rank was asked to stop.
  ///
  /// All ranks report the same names with the same numbers of values.
  package func joined(
    _ reports: [(name: String, values: Tensor)],
    stops: Bool
  ) -> (reports: [(name: String, values: [Double])], someoneStops: Bool) {
    // One copy from the device for all of them.
    let own = reports.map { $0.values.to(.float64).reshaped(-1) }
    let flat = Tensor.concatenated(own).to(.cpu)
    let all = gathered(  // [ranks, values + 1]
      .concatenated([flat, Tensor([stops ? 1.0 : 0.0])]).unsqueezed(0)
    )
    var start = 0
    let joined = zip(reports, own).map { report, values in
      let end = start + values.count
      defer { start = end }
      return (report.name, all.sliced(1, start..<end).contiguous().values(Double.self))
    }
    return (joined, all.sliced(1, start..<start + 1).sum().item > 0)
  }
}
