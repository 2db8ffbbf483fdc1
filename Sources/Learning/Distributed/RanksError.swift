/// Another rank is gone, hangs, or never joined: which one, and what to do, in one line.
package struct RanksError: Error, Equatable, CustomStringConvertible {
  package let description: String

  /// An error that says this.
  package init(_ description: String) { self.description = description }
}
