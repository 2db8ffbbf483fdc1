import HTTPTypes
import Synchronization

/// A few places for work that takes much memory or time.
final class Slots: Sendable {
  private let free: Mutex<Int>

  /// - Parameter count: How many may be at work.
  init(_ count: Int) { free = Mutex(count) }

  /// Works if a slot is free.
  ///
  /// - Parameters:
  ///   - what: What there is too much of, for the message.
  ///   - body: Works.
  /// - Returns: What the body returns.
  /// - Throws: `RequestError` with status 503 if there is none; what the body throws.
  func working<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
    let isFree = free.withLock { free in
      if free > 0 { free -= 1 } else { return false }
      return true
    }
    guard isFree else {
      throw RequestError(
        "too many \(what) at once; try again in 5 s",
        status: .serviceUnavailable,
        code: "queue_full",
        retryAfter: 5
      )
    }
    defer { free.withLock { $0 += 1 } }
    return try await body()
  }
}
