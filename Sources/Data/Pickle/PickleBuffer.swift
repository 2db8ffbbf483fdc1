package import Files

/// A range of bytes that keeps whatever it lies in alive: a mapped file or a block of memory.
///
/// Slices share the owner, so cutting a tensor out of a file of gigabytes copies nothing.
package struct PickleBuffer: @unchecked Sendable {
  // Sendable: the bytes are never written after init, and the owner keeps them in place.

  private let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject

  /// The bytes of a mapped file.
  package init(_ file: MappedFile) {
    bytes = file.bytes
    owner = file
  }

  /// A copy of `bytes`.
  package init(_ bytes: [UInt8]) {
    let block = MemoryBlock(copying: bytes)
    self.bytes = UnsafeRawBufferPointer(block.memory)
    owner = block
  }

  /// A copy of two runs of bytes, one behind the other.
  init(_ first: [UInt8], _ second: UnsafeRawBufferPointer) {
    let block = MemoryBlock(count: first.count + second.count)
    block.memory.copyBytes(from: first)
    block.memory[first.count...].copyBytes(from: second)
    bytes = UnsafeRawBufferPointer(block.memory)
    owner = block
  }

  private init(bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.bytes = bytes
    self.owner = owner
  }

  /// Length in bytes.
  package var count: Int { bytes.count }

  /// The bytes of a range, which must lie inside.
  package func slice(_ range: Range<Int>) -> PickleBuffer {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "slice \(range) of a buffer of \(count) bytes"
    )
    return PickleBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes[range]), owner: owner)
  }

  /// Lends the bytes for the length of `body`.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }

  /// A copy of the bytes.
  package var array: [UInt8] { withBytes { Array($0) } }

  subscript(index: Int) -> UInt8 { withBytes { $0[index] } }
}

/// Memory that is freed with its last reference.
private final class MemoryBlock {
  let memory: UnsafeMutableRawBufferPointer

  init(count: Int) { memory = .allocate(byteCount: count, alignment: 16) }

  convenience init(copying bytes: [UInt8]) {
    self.init(count: bytes.count)
    memory.copyBytes(from: bytes)
  }

  deinit { memory.deallocate() }
}
