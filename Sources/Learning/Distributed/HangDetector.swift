import Glibc
package import Synchronization

/// Tells long work from a hang: the task of this process, and the time since its last progress.
///
/// Progress is CPU time of the working threads, so no work has to report it. A thread blocked on a file
/// system or lock that never answers uses none. One that computes does, and so does one that a slow disk
/// wakes for each block: microseconds for two megabytes, measured on ext4. Undetected are endless loops,
/// and threads that wake only to poll, as one throttled at the kernel's dirty-page limit; a run's files are
/// flushed before that limit.
package final class HangDetector: Sendable {
  /// The task of a process, and the time since its progress.
  package struct Status: Equatable {
    /// Seconds since its last progress.
    package var seconds: Double
    /// Its task, as "writes log.txt"; `nil` during collective calls and work with its own timeouts.
    package var task: String?
  }

  private struct State {
    var tasks: [String?] = ["trains"]
    /// CPU clocks of the helper threads, by thread number.
    var helpers: [Int: clockid_t] = [:]
    var helpersSoFar = 0
    var spent: UInt64
    var since = ContinuousClock.now
  }

  private let main: clockid_t
  private let state: Mutex<State>

  /// Monitors the calling thread, which must be the main one.
  package init() {
    main = Self.clockOfThisThread()
    state = Mutex(State(spent: Self.time(of: main)))
  }

  /// Runs a named task; its begin and end are progress.
  ///
  /// - Parameters:
  ///   - task: The name, as "writes log.txt"; `nil` for work that never counts as a hang.
  ///   - body: The work, on the main thread.
  /// - Returns: The result of `body`.
  /// - Throws: The error of `body`.
  package func doing<Result, Failure: Error>(
    _ task: String?,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    state.withLock { state in
      state.tasks.append(task)
      state.since = .now
    }
    defer {
      state.withLock { state in
        state.tasks.removeLast()
        state.since = .now
      }
    }
    return try body()
  }

  /// Records progress.
  package func mark() { state.withLock { $0.since = .now } }

  /// Runs `body`, called on a helper thread: its CPU time counts as progress.
  package func alongside<Result>(_ body: () throws -> Result) rethrows -> Result {
    let clock = Self.clockOfThisThread()
    let number = state.withLock { state in
      state.helpersSoFar += 1
      state.helpers[state.helpersSoFar] = clock
      state.spent += Self.time(of: clock)
      return state.helpersSoFar
    }
    defer {
      state.withLock { state in
        state.helpers[number] = nil
        state.spent -= min(Self.time(of: clock), state.spent)
        state.since = .now
      }
    }
    return try body()
  }

  /// The current task and time without progress; callable from any thread.
  package func status() -> Status {
    state.withLock { state in
      let spent = state.helpers.values.reduce(Self.time(of: main)) { $0 + Self.time(of: $1) }
      if spent > state.spent {
        state.spent = spent
        state.since = .now
      }
      return Status(seconds: state.since.secondsAgo, task: state.tasks.last ?? nil)
    }
  }

  private static func clockOfThisThread() -> clockid_t {
    var clock = clockid_t()
    // Without a clock, only `doing` and `mark` are progress.
    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : -1
  }

  /// CPU time in nanoseconds; 0 for a thread that has ended.
  private static func time(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    guard clock_gettime(clock, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension HangDetector.Status {
  /// The payload of a heartbeat, without its number.
  package var text: String { "\(Int(seconds)) \(task.map { String($0.prefix(300)) } ?? "")" }

  /// Parses a heartbeat.
  ///
  /// - Parameter beat: The heartbeat's number, a space, and `text`.
  package init?(beat: String) {
    let parts = beat.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    // From another machine: any text. A billion seconds are thirty years.
    guard parts.count == 3, let seconds = Int(parts[1]), (0...1_000_000_000).contains(seconds)
    else {
      return nil
    }
    self.init(seconds: Double(seconds), task: parts[2].isEmpty ? nil : String(parts[2]))
  }

  /// The error message if the rank hangs; `nil` if it makes progress or waits for others.
  ///
  /// - Parameters:
  ///   - rank: The rank with this status.
  ///   - bound: Seconds without progress that count as a hang.
  /// - Returns: The rank, its task, and the seconds without progress.
  package func hang(of rank: Int, after bound: Double) -> String? {
    guard let task, seconds >= bound else { return nil }
    return "rank \(rank) hangs while it \(task): no progress for \(Int(seconds)) seconds"
  }
}
