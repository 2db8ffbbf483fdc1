import Glibc
package import Synchronization

/// What a process is busy with, and when it last got ahead.
///
/// A thread that waits for a file system or a lock that never answers takes no processor time at all. One
/// that computes does, and so does one that a slow disk wakes for each piece: microseconds for two
/// megabytes, measured on ext4. So the clocks of the threads that do the work tell long work from a hang,
/// without the work having to say that it goes on. What they do not tell are a loop without end, and a
/// thread that wakes only to look again, as one that may dirty no more pages of a disk; a run's files are
/// flushed before there are as many.
package final class HangDetector: Sendable {
  /// How a process stands.
  package struct Standing: Equatable {
    /// Seconds since it last got ahead.
    package var seconds: Double
    /// What it does, as "writes log.txt"; `nil` while it waits for other ranks, or for what has time
    /// limits of its own.
    package var task: String?
  }

  private struct State {
    var tasks: [String?] = ["trains"]
    /// Threads that work for the main one, beside it, by a number of each.
    var helpers: [Int: clockid_t] = [:]
    var helpersSoFar = 0
    var spent: UInt64
    var since = ContinuousClock.now
  }

  private let main: clockid_t
  private let state: Mutex<State>

  /// The progress of the thread that makes this object.
  package init() {
    main = Self.clockOfThisThread()
    state = Mutex(State(spent: Self.time(of: main)))
  }

  /// Does something that has a name; begin and end are progress.
  ///
  /// - Parameters:
  ///   - task: What it is, as "writes log.txt"; `nil` for what is never a hang of this process.
  ///   - body: Does it, on the main thread.
  /// - Returns: What `body` gives.
  /// - Throws: What `body` throws.
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

  /// Says that the process gets ahead.
  package func mark() { state.withLock { $0.since = .now } }

  /// Does something on a thread beside the main one, which waits for it now or later.
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

  /// How the process stands now; may be asked from any thread.
  package func standing() -> Standing {
    state.withLock { state in
      let spent = state.helpers.values.reduce(Self.time(of: main)) { $0 + Self.time(of: $1) }
      if spent > state.spent {
        state.spent = spent
        state.since = .now
      }
      return Standing(seconds: state.since.secondsAgo, task: state.tasks.last ?? nil)
    }
  }

  private static func clockOfThisThread() -> clockid_t {
    var clock = clockid_t()
    // Without such a clock, which is then none, `doing` and `mark` alone are progress.
    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : -1
  }

  /// Nanoseconds of the processor; 0 for a thread that has ended.
  private static func time(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    guard clock_gettime(clock, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension HangDetector.Standing {
  /// What is published of it, after the number of the beat.
  package var text: String { "\(Int(seconds)) \(task.map { String($0.prefix(300)) } ?? "")" }

  /// Reads what another process has published.
  ///
  /// - Parameter beat: The number of the beat and the standing, separated by a space.
  package init?(beat: String) {
    let parts = beat.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let seconds = Int(parts[1]) else { return nil }
    self.init(seconds: Double(seconds), task: parts[2].isEmpty ? nil : String(parts[2]))
  }

  /// What is said of a rank that has not got ahead for some time; `nil` if it has, or waits for others.
  ///
  /// - Parameters:
  ///   - rank: Whose standing this is.
  ///   - bound: The time in seconds.
  /// - Returns: Who hangs, in what, and since when.
  package func hang(of rank: Int, after bound: Double) -> String? {
    guard let task, seconds >= bound else { return nil }
    return "rank \(rank) hangs while it \(task): no progress for \(Int(seconds)) seconds"
  }
}
