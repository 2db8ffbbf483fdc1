package import Foundation
package import Torch

/// The next action of all ranks, sent by rank 0.
///
/// Only rank 0 decides: it has the clock, the run folder and the watchdog.
package enum Command: Int64 {
  /// Take a step.
  case step
  /// Wait until rank 0 has finished long work of its own.
  case wait
  /// Compute this rank's batches of a metric.
  case score
  /// Receive the state from rank 0.
  case state
  /// The run is over.
  case finish
  /// The run is interrupted and can be continued.
  case interrupt
}

extension Ranks {
  /// Sends a command to the other ranks; called by rank 0.
  package func command(_ command: Command) {
    guard isShared else { return }
    precondition(rank == 0, "rank \(rank) gives commands")
    broadcast([Tensor([command.rawValue])])
  }

  /// Receives the next command from rank 0.
  ///
  /// - Throws: `RanksError` if rank 0 is gone.
  package func nextCommand() throws -> Command {
    let number = Tensor([Int64(-1)])
    broadcast([number])
    try check()
    guard let command = Command(rawValue: number.values(Int64.self)[0]) else {
      throw RanksError("rank 0 sends a command that rank \(rank) does not know")
    }
    return command
  }

  /// A barrier without a timeout: waits as long as every rank has a heartbeat and makes progress.
  ///
  /// - Throws: `RanksError` naming a rank that stopped, hangs or is silent.
  package func barrier() throws {
    guard isShared, let heartbeat else { return }
    leave("ready", under: "ready-\(rank)")
    heartbeat.watch(others)
    defer { heartbeat.unwatch() }
    var missing = others
    while true {
      missing.removeAll { found(under: "ready-\($0)") != nil }
      if missing.isEmpty { return }
      try check()
      hangDetector.mark()
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  /// Runs long work, as scoring a snapshot, while the others wait and all watch each other's heartbeats;
  /// called by rank 0.
  package func whileOthersWait<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard isShared else { return try body() }
    beginWait()
    defer { endWait() }
    return try body()
  }

  /// Computes a metric together with the others; called by rank 0 while they wait.
  ///
  /// - Parameters:
  ///   - job: The metric's number, which the others receive by `scoredJob`.
  ///   - body: Computes this rank's batches.
  /// - Returns: The result of `body`.
  package func withOthers<Result>(
    _ job: Int,
    _ body: () throws -> Result
  ) rethrows -> Result {
    endWait()
    defer { beginWait() }
    command(.score)
    broadcast([Tensor([Int64(job)])])
    return try body()
  }

  /// Receives the number of the metric to compute.
  package func scoredJob() throws -> Int {
    let number = Tensor([Int64(-1)])
    broadcast([number])
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

  /// Waits for the end of `whileOthersWait`; called by the others.
  ///
  /// - Throws: `RanksError` if rank 0 stopped, hangs or is silent.
  package func waitForFirst() throws {
    waits += 1
    heartbeat?.watch([0])
    defer { heartbeat?.unwatch() }
    while found(under: "wait-\(waits)") == nil {
      try check()
      hangDetector.mark()
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// The reports of all ranks for a step, and whether any rank was asked to stop.
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
