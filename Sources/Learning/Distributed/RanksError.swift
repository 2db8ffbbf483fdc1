/// A rank that is gone, hangs, or never joined, in one line with what to do.
package struct RanksError: Error, Equatable, CustomStringConvertible {
  package let description: String

  /// An error with a message.
  package init(_ description: String) { self.description = description }
}
