import Foundation

/// How much a machine that is busy with other things delays whoever waits for it.
///
/// A bound on time holds for the program, not for the machine. So instead of a generous bound a test
/// keeps the right one and takes off what the machine took.
package enum TimerLateness {
  /// Runs `body` beside a thread that only sleeps.
  ///
  /// - Parameter body: What is timed.
  /// - Returns: What `body` returns and the time it took, less the sum of what the sleeper woke up
  ///   too late in the same time.
  /// - Throws: What `body` throws.
  package static func timed<Value>(
    _ body: () async throws -> Value
  ) async rethrows -> (value: Value, elapsed: Duration) {
    let sleeper = Sleeper()
    let start = ContinuousClock.now
    let value = try await body()
    let elapsed = start.duration(to: .now)
    return (value, elapsed - sleeper.stop())
  }

  private final class Sleeper: @unchecked Sendable {
    // Sendable: `lateness` and `isStopped` are only touched under `lock`.
    private let lock = NSLock()
    private var lateness = Duration.zero
    private var isStopped = false

    private static let nap = Duration.milliseconds(20)

    init() {
      Thread.detachNewThread { [self] in
        while !lock.withLock({ isStopped }) {
          let start = ContinuousClock.now
          usleep(UInt32(Self.nap / .microseconds(1)))
          let late = start.duration(to: .now) - Self.nap
          lock.withLock { lateness += max(.zero, late) }
        }
      }
    }

    func stop() -> Duration {
      lock.withLock {
        isStopped = true
        return lateness
      }
    }
  }
}
