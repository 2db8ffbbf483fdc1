import CFiles

/// The memory of the process.
package enum Memory {
  /// Returns free heap memory to the system; takes some milliseconds.
  ///
  /// The heap fragments: freed blocks stay between used ones, and a long run with buffers of varying sizes
  /// grows by them.
  package static func trim() { malloc_trim(0) }
}
