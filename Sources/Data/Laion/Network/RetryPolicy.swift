import Web

/// Whether and when a failed request is retried.
///
/// Only transient failures are: a lost connection, a busy server. An address that does not exist today will
/// not exist in two seconds.
package struct RetryPolicy: Equatable, Sendable {
  /// Attempts in all.
  package var attempts: Int
  /// Seconds before the first retry; doubled before each further one.
  package var delay: Double
  /// The longest wait in seconds, also when the server asks for more.
  package var maximumDelay = 60.0

  /// A policy of some attempts.
  package init(attempts: Int, delay: Double) {
    self.attempts = attempts
    self.delay = delay
  }

  /// Seconds to wait before the next attempt; `nil` to give up.
  ///
  /// - Parameters:
  ///   - cause: The cause of the failure.
  ///   - attempt: The attempt that failed, from 1.
  ///   - retryAfter: Seconds of the server's `Retry-After`.
  ///   - jitter: A random number in [0, 1); spreads out the attempts of many rows.
  /// - Returns: Seconds, at most `maximumDelay`.
  package func wait(
    after cause: FetchCause,
    attempt: Int,
    retryAfter: Double?,
    jitter: Double
  ) -> Double? {
    guard attempt < attempts, Self.canRecover(cause) else { return nil }
    let ownDelay = backOff(delay, afterAttempt: attempt) * (0.5 + jitter)
    // A row does not wait for a server that names a longer wait.
    if let retryAfter, retryAfter > maximumDelay { return nil }
    return min(maximumDelay, max(ownDelay, retryAfter ?? 0))
  }

  /// Whether a failure is transient, so that a retry may succeed.
  package static func canRecover(_ cause: FetchCause) -> Bool {
    switch cause {
    case .timedOut, .connectionLost, .connectionFailed, .resolverFailed, .robotsUnavailable,
      .silentHost, .noMemory:
      true
    case .status(let code): code == 408 || code == 429 || (500...599).contains(code) && code != 501
    default: false
    }
  }
}
