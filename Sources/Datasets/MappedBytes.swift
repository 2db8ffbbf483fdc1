import Files

/// A range of bytes together with whatever keeps it mapped.
///
/// Reading it is safe for as long as the value lives, on any thread.
package struct MappedBytes: @unchecked Sendable {
  // Sendable: the owner is immutable and the bytes are a read-only mapping.

  /// Number of bytes.
  package var count: Int { bytes.count }

  private let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject

  /// Ties bytes to their owner.
  init(_ bytes: UnsafeRawBufferPointer, owner: some AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// Calls `body` with the bytes, keeping them mapped meanwhile.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }
}
