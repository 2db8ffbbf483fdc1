import HTTPTypes
import Synchronization

/// A fixed number of slots for expensive work.
final class Slots: Sendable {
  private let free: Mutex<Int>

  /// - Parameter count: The number of slots.
  init(_ count: Int) { free = Mutex(count) }

  /// Runs a body in a slot, if one is free.
  ///
  /// - Parameters:
  ///   - what: The name of the work in the plural, for the message.
  ///   - body: The work.
  /// - Returns: The body's result.
  /// - Throws: `RequestError` with status 503 if no slot is free; the body's error.
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
