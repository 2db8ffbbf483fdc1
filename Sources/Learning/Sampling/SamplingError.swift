/// Why nothing can be painted, in one line: what, where, and what to do.
package struct SamplingError: Error, Equatable, CustomStringConvertible {
  package let description: String

  /// An error that says this.
  package init(_ description: String) { self.description = description }
}
