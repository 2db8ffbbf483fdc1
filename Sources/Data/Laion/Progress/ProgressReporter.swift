import Synchronization

/// Throttles reports to two a second; the last one of a split always passes.
final class ProgressReporter: Sendable {
  private let interval: Duration
  private let last = Mutex<ContinuousClock.Instant?>(nil)
  private let pass: @Sendable (LaionProgress) -> Void

  init(
    interval: Duration = .milliseconds(500),
    _ pass: @escaping @Sendable (LaionProgress) -> Void
  ) {
    self.interval = interval
    self.pass = pass
  }

  /// Passes a report if it is due; else it is not even made.
  func note(_ progress: @autoclosure () -> LaionProgress) {
    let isDue = last.withLock { last in
      let now = ContinuousClock.now
      if let last, last.duration(to: now) < interval { return false }
      last = now
      return true
    }
    if isDue { pass(progress()) }
  }

  /// Passes the last report of a split.
  func end(_ progress: LaionProgress) { pass(progress) }
}
