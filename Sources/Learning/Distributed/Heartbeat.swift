package import Foundation
package import Synchronization
import Threads
package import Torch

/// Says every second that this process lives and when it last got ahead, and listens to what others say
/// while it is asked to.
///
/// A collective call notices by itself that another rank is gone; whatever a rank does alone would not,
/// and whoever waits for it could not tell long work from death or from a hang.
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

  /// Begins.
  ///
  /// - Parameters:
  ///   - group: The processes; only what they leave for each other is used, from any thread.
  ///   - progress: What this process does.
  ///   - patience: How long another rank may be silent, in seconds.
  ///   - bound: How long another rank may get nowhere with what it does, in seconds.
  ///   - whenLost: Is told, from this object's thread, which rank is gone while it is watched.
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
          try? group.publish("\(round) \(progress.standing().text)", under: Self.key(group.rank))
          if listen(group, patience, bound) { state.withLock { $0.verdict }.map { whenLost?($0) } }
        }
        round += 1
        Thread.sleep(forTimeInterval: 0.05)
      }
      ended.signal()
    }
  }

  /// What was found of the watched ranks: who stopped and why, or who is silent.
  package var verdict: String? { state.withLock { $0.verdict } }

  /// Listens to some ranks, from now on.
  package func watch(_ ranks: [Int]) {
    state.withLock { state in
      state.watches = Dictionary(uniqueKeysWithValues: ranks.map { ($0, Watch()) })
    }
  }

  /// Ends that.
  package func unwatch() { state.withLock { $0.watches = [:] } }

  /// Under which name a rank's beats are published.
  package static func key(_ rank: Int) -> String { "beat-\(rank)" }

  /// Ends all; may be called again.
  package func stop() {
    state.withLock { $0.isOver = true }
    ended.wait()
    ended.signal()
  }

  /// Asks once for each watched rank; whether one was newly found to be gone.
  private func listen(_ group: ProcessGroup, _ patience: Double, _ bound: Double) -> Bool {
    let watched = state.withLock { $0.verdict == nil ? $0.watches : [:] }
    for (rank, watch) in watched {
      // A question that is not answered says nothing of the rank: it stays unheard.
      let reason = (try? group.published(under: "stopped-\(rank)")) ?? nil
      let beat = (try? group.published(under: Self.key(rank))) ?? nil
      var verdict: String?
      if let reason, reason != Ranks.lostTheOthers {
        verdict = "rank \(rank) stopped: \(reason)"
      } else if let beat, beat != watch.beat {
        state.withLock { $0.watches[rank]? = Watch(beat: beat) }
        verdict = HangDetector.Standing(beat: beat)?.hang(of: rank, after: bound)
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
  /// Seconds since then; the wall clock may be set meanwhile.
  package var secondsAgo: Double { duration(to: .now) / .seconds(1) }
}
