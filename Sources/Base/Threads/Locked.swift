import Foundation

/// A value that only one thread touches at a time.
package final class Locked<Value>: @unchecked Sendable {
  // Sendable: `lock` guards `value`.
  private let lock = NSLock()
  private var value: Value

  package init(_ value: Value) { self.value = value }

  package func with<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
