import Files
import Glibc

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

  /// A copy of bytes in memory.
  package init(copying bytes: [UInt8]) {
    let block = MemoryBlock(bytes)
    self.init(UnsafeRawBufferPointer(block.memory), owner: block)
  }

  /// Lets go of pages of a file that are done with for now; to read them again takes the disk.
  func release(_ range: Range<Int>) {
    // Memory of our own would be lost.
    guard !(owner is MemoryBlock), let base = bytes.baseAddress else { return }
    let range = range.clamped(to: 0..<bytes.count)
    let page = 4096
    let start = (Int(bitPattern: base) + range.lowerBound + page - 1) / page * page
    let end = (Int(bitPattern: base) + range.upperBound) / page * page
    guard start < end, let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
    madvise(address, end - start, MADV_DONTNEED)
  }

  /// Calls `body` with the bytes, keeping them mapped meanwhile.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }
}

/// Memory that is freed with its last user.
private final class MemoryBlock: @unchecked Sendable {
  // Sendable: written once, before it is shared.
  let memory: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    memory = .allocate(byteCount: bytes.count, alignment: 16)
    memory.copyBytes(from: bytes)
  }

  deinit { memory.deallocate() }
}
