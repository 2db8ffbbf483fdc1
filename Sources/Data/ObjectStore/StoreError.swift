import Files

/// A failure of an object store, in one line: what, where, what to do, and never a credential.
package struct StoreError: Error, Equatable, CustomStringConvertible {
  /// The kind of failure.
  package enum Cause: Equatable, Sendable {
    /// An address, a setting or a file of settings is wrong or missing.
    case settings
    /// No answer came in any attempt.
    case unreachable
    /// The store refuses, with its own code, or with the status where it gives none.
    case refused(code: String)
    /// What was uploaded is not there, or not as it was sent.
    case damaged
    /// The local disk refuses.
    case file
    /// The task was cancelled.
    case cancelled
  }

  /// The kind of failure.
  package let cause: Cause
  package let description: String

  /// An error with a message.
  package init(_ cause: Cause, _ description: String) {
    (self.cause, self.description) = (cause, description)
  }

  /// An error of the local disk.
  init(_ error: FileError) { self.init(.file, error.description) }
}

/// Turns an error of the disk into one of the transfer that it ends.
func disk<Value>(_ body: () throws(FileError) -> Value) throws(StoreError) -> Value {
  do throws(FileError) { return try body() } catch { throw StoreError(error) }
}
