/// A file that is no usable snapshot, in one line.
package struct SnapshotError: Error, CustomStringConvertible {
  /// What is wrong, and with which file.
  package let description: String

  /// An error about a file.
  package init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
