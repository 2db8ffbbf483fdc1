import Synchronization

/// A circuit breaker for hosts whose requests time out one after another.
///
/// Each row of such a host would hold a slot for all its attempts, and a split with thousands of them would
/// wait for days. So its rows are skipped for a while, and then one row is requested.
final class SilentHosts: Sendable {
  private let limit: Int
  private let pause: Duration
  private let hosts = Mutex<[String: Record]>([:])

  private struct Record {
    var timeouts = 0
    /// When the last of them was counted.
    var last: ContinuousClock.Instant?
    var until: ContinuousClock.Instant?
  }

  private static let maximumHosts = 50_000

  /// - Parameters:
  ///   - limit: Timeouts in a row after which a host is skipped.
  ///   - pause: The time for which it is skipped.
  init(limit: Int, pause: Duration) {
    self.limit = limit
    self.pause = pause
  }

  /// Whether a request to `host` is skipped; after the pause one is let through as a probe.
  func skips(_ host: String, now: ContinuousClock.Instant = .now) -> Bool {
    hosts.withLock { hosts in
      guard let until = hosts[host]?.until else { return false }
      if until > now { return true }
      hosts[host]?.until = now + pause
      return false
    }
  }

  /// Notes whether a request timed out.
  ///
  /// Requests in flight at the same time count once: a server that pauses once is not silent.
  func note(
    _ host: String,
    timedOut: Bool,
    began: ContinuousClock.Instant,
    now: ContinuousClock.Instant = .now
  ) {
    hosts.withLock { hosts in
      if !timedOut {
        hosts[host] = nil
        return
      }
      if hosts.count >= Self.maximumHosts, hosts[host] == nil {
        hosts = hosts.filter { $0.value.until.map { $0 > now } ?? false }
        if hosts.count >= Self.maximumHosts { hosts = [:] }
      }
      var record = hosts[host, default: Record()]
      if let last = record.last, began < last { return }
      record.timeouts += 1
      record.last = now
      if record.timeouts >= limit { record.until = now + pause }
      hosts[host] = record
    }
  }
}
