import Foundation
import Synchronization
import Torch

/// What rank 0 tells the others to do next.
///
/// Rank 0 alone decides: it keeps the clock, the folder and the watchdog. The others follow.
enum Command: Int64 {
  /// Take a step.
  case step
  /// Wait until rank 0 has done something that takes long.
  case wait
  /// Take part in scoring the averaged generator.
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
  func command(_ command: Command) {
    guard isShared else { return }
    precondition(rank == 0, "rank \(rank) gives commands")
    copyFromFirst([Tensor([command.rawValue])])
  }

  /// What rank 0 tells this rank to do next.
  ///
  /// - Throws: `TrainingError.ranks` if rank 0 is gone.
  func nextCommand() throws -> Command {
    let number = Tensor([Int64(-1)])
    copyFromFirst([number])
    try check()
    guard let command = Command(rawValue: number.values(Int64.self)[0]) else {
      throw TrainingError.ranks("rank 0 says something that rank \(rank) does not understand")
    }
    return command
  }

  /// Does something that takes long, as scoring a snapshot, while the others only watch that this
  /// process lives; called by rank 0.
  func whileOthersWait<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard isShared else { return try body() }
    beginWait()
    defer { endWait() }
    return try body()
  }

  /// Does a part of it that all take part in; called by rank 0 while the others wait.
  package func withOthers<Result>(_ body: () throws -> Result) rethrows -> Result {
    endWait()
    defer { beginWait() }
    command(.score)
    return try body()
  }

  private func beginWait() {
    command(.wait)
    waits += 1
    beat = Heartbeat(self)
  }

  private func endWait() {
    beat?.stop()
    beat = nil
    leave("done", under: "wait-\(waits)")
  }

  /// Waits for the end of what rank 0 does; called by the others.
  ///
  /// - Throws: `TrainingError.ranks` if rank 0 is gone, or has not been heard of for a minute.
  func waitForFirst() throws {
    waits += 1
    var lastBeat: String?
    var heard = Date()
    while found(under: "wait-\(waits)") == nil {
      try check()
      if let reason = found(under: "stopped-0") {
        throw TrainingError.ranks("rank 0 stopped: \(reason)")
      }
      let beat = found(under: "beat")
      if beat != lastBeat { (lastBeat, heard) = (beat, Date()) }
      if Date().timeIntervalSince(heard) > patience {
        throw TrainingError.ranks(lost("rank 0", "not heard of for \(Int(patience)) seconds"))
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    try check()
  }

  /// Every rank's reports of a step, and whether any rank was asked to stop.
  ///
  /// All ranks report the same names with the same numbers of values.
  func joined(
    _ reports: [(name: String, values: Tensor)],
    stops: Bool
  ) -> (reports: [(name: String, values: [Double])], someoneStops: Bool) {
    guard isShared else {
      return (reports.map { ($0.name, $0.values.values(Double.self)) }, stops)
    }
    let own = reports.map { $0.values.to(.cpu).to(.float64).reshaped(-1) }
    let flat = Tensor.concatenated(own + [Tensor([stops ? 1.0 : 0.0])])
    let all = gathered(flat.unsqueezed(0))  // [ranks, values + 1]
    var start = 0
    let joined = zip(reports, own).map { report, values in
      let end = start + values.count
      defer { start = end }
      return (report.name, all.sliced(1, start..<end).contiguous().values(Double.self))
    }
    return (joined, all.sliced(1, start..<start + 1).sum().item > 0)
  }
}

/// Says every second that this process lives.
final class Heartbeat: Sendable {
  private let isOver = Mutex(false)
  private let ended = DispatchSemaphore(value: 0)

  init(_ ranks: Ranks) {
    nonisolated(unsafe) let ranks = ranks
    Thread.detachNewThread { [self] in
      var count = 0
      while !isOver.withLock({ $0 }) {
        if count % 20 == 0 { ranks.leave("\(Date().timeIntervalSince1970)", under: "beat") }
        count += 1
        Thread.sleep(forTimeInterval: 0.05)
      }
      ended.signal()
    }
  }

  func stop() {
    isOver.withLock { $0 = true }
    ended.wait()
  }
}
