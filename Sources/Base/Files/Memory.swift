import CFiles

/// The memory of the process.
package enum Memory {
  /// Gives what is free back to the system.
  ///
  /// The allocator keeps what threads have freed, in pieces between what is in use, and a long run that
  /// takes buffers of ever other sizes grows by them. Takes some milliseconds.
  package static func giveBack() { malloc_trim(0) }
}
