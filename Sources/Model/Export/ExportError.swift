/// A network that cannot be exported, in one line.
package struct ExportError: Error, Equatable, CustomStringConvertible {
  /// What is wrong with what, and what to do.
  package let description: String

  /// An error.
  package init(_ description: String) { self.description = description }
}
