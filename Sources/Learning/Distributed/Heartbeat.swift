package import Foundation
package import Synchronization
import Threads
package import Torch

/// Publishes a heartbeat every second, with the time since the last progress, and watches those of other
/// ranks on request.
///
/// A collective call times out by itself when another rank is gone. While a rank works alone there is no
/// such call: without heartbeats the waiting ranks could not tell long work from a death or a hang.
package final class Heartbeat: Sendable {
  private struct Watch {
    var beat: String?
    var heard = ContinuousClock.now
  }

  private struct State {
    var isOver = false
    var watches: [Int: Watch] = [:]
    var verdict: String?
  }

  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Starts the thread that publishes and watches.
  ///
  /// - Parameters:
  ///   - group: The ranks; only their key–value store is used, from any thread.
  ///   - progress: The progress of this process.
  ///   - patience: Seconds without a heartbeat after which a watched rank counts as lost.
  ///   - bound: Seconds without progress after which a watched rank counts as hanging.
  ///   - whenLost: Called on this object's thread with the verdict on a watched rank.
  package init(
    _ group: ProcessGroup,
    _ progress: HangDetector,
    patience: Double,
    bound: Double,
    whenLost: (@Sendable (String) -> Void)?
  ) {
    nonisolated(unsafe) let group = group
    WorkerThread.startOrExit { [self] in
      var round = 0
      while !state.withLock({ $0.isOver }) {
        if round % 20 == 0 {
          try? group.publish("\(round) \(progress.status().text)", under: Self.key(group.rank))
          if listen(group, patience, bound) { state.withLock { $0.verdict }.map { whenLost?($0) } }
        }
        round += 1
        Thread.sleep(forTimeInterval: 0.05)
      }
      ended.signal()
    }
  }

  /// The first failure of a watched rank: that it stopped and why, hangs, or is silent.
  package var verdict: String? { state.withLock { $0.verdict } }

  /// Watches these ranks from now on, and no others.
  package func watch(_ ranks: [Int]) {
    state.withLock { state in
      state.watches = Dictionary(uniqueKeysWithValues: ranks.map { ($0, Watch()) })
    }
  }

  /// Watches no rank any more.
  package func unwatch() { state.withLock { $0.watches = [:] } }

  /// The key of a rank's heartbeat in the store.
  package static func key(_ rank: Int) -> String { "beat-\(rank)" }

  /// Stops the thread and waits for its end; may be called again.
  package func stop() {
    state.withLock { $0.isOver = true }
    ended.wait()
    ended.signal()
  }

  /// Polls each watched rank once; returns whether there is a new verdict.
  private func listen(_ group: ProcessGroup, _ patience: Double, _ bound: Double) -> Bool {
    let watched = state.withLock { $0.verdict == nil ? $0.watches : [:] }
    for (rank, watch) in watched {
      // A failed read says nothing of the rank: it counts as silence.
      let reason = (try? group.published(under: "stopped-\(rank)")) ?? nil
      let beat = (try? group.published(under: Self.key(rank))) ?? nil
      var verdict: String?
      if let reason, reason != Ranks.lostPeers {
        verdict = "rank \(rank) stopped: \(reason)"
      } else if let beat, beat != watch.beat {
        state.withLock { $0.watches[rank]? = Watch(beat: beat) }
        verdict = HangDetector.Status(beat: beat)?.hang(of: rank, after: bound)
      } else if watch.heard.secondsAgo > patience {
        verdict = Ranks.lost(
          "rank \(rank)",
          "not heard of for \(Int(patience)) seconds",
          seenBy: group.rank
        )
      }
      guard let verdict else { continue }
      let isNew = state.withLock { state in
        guard state.watches[rank] != nil, state.verdict == nil else { return false }
        state.verdict = verdict
        return true
      }
      if isNew { return true }
    }
    return false
  }
}

extension ContinuousClock.Instant {
  /// Seconds since then, by the monotonic clock.
  package var secondsAgo: Double { duration(to: .now) / .seconds(1) }
}
