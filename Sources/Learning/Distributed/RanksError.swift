/// Another process of the run is gone, hangs, or was never there: in one line, which and what to do.
package struct RanksError: Error, Equatable, CustomStringConvertible {
  package let description: String

  /// An error that says this.
  package init(_ description: String) { self.description = description }
}
