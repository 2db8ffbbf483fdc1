import Glibc

/// A range of bytes that keeps its owner alive: a mapped file or a block of memory.
///
/// Slices share the owner, so a slice of a file of gigabytes copies nothing. Reading is safe for as long as
/// the value lives, on any thread.
package struct MappedBytes: @unchecked Sendable {
  // Sendable: the owner is immutable and the bytes are never written after init.

  /// The bytes; valid while the value, or a slice of it, lives.
  package let bytes: UnsafeRawBufferPointer
  private let owner: any AnyObject & Sendable

  /// Ties bytes to their owner.
  init(_ bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
    self.bytes = bytes
    self.owner = owner
  }

  /// The bytes of a mapped file.
  package init(_ file: MappedFile) { self.init(file.bytes, owner: file) }

  /// A copy of bytes in memory.
  package init(copying bytes: [UInt8]) {
    let block = MemoryBlock(count: bytes.count)
    block.memory.copyBytes(from: bytes)
    self.init(UnsafeRawBufferPointer(block.memory), owner: block)
  }

  /// A concatenated copy of two byte sequences.
  package init(copying first: [UInt8], _ second: UnsafeRawBufferPointer) {
    let block = MemoryBlock(count: first.count + second.count)
    block.memory.copyBytes(from: first)
    block.memory[first.count...].copyBytes(from: second)
    self.init(UnsafeRawBufferPointer(block.memory), owner: block)
  }

  /// Length in bytes.
  package var count: Int { bytes.count }

  /// A copy of the bytes.
  package var array: [UInt8] { withBytes { Array($0) } }

  /// One byte; the index must be in bounds.
  package subscript(index: Int) -> UInt8 { withBytes { $0[index] } }

  /// A slice; the range must be in bounds.
  package func slice(_ range: Range<Int>) -> MappedBytes {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count,
      "slice \(range) of \(count) bytes"
    )
    return MappedBytes(UnsafeRawBufferPointer(rebasing: bytes[range]), owner: owner)
  }

  /// Calls `body` with the bytes and keeps their owner alive meanwhile.
  package func withBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }

  /// Releases pages of a file; reading them again takes the disk.
  package func release(_ range: Range<Int>) {
    // Releasing anonymous memory would lose its content.
    guard !(owner is MemoryBlock), let base = bytes.baseAddress else { return }
    let range = range.clamped(to: 0..<bytes.count)
    let start = (Int(bitPattern: base) + range.lowerBound + Self.page - 1) / Self.page * Self.page
    let end = (Int(bitPattern: base) + range.upperBound) / Self.page * Self.page
    guard start < end, let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
    madvise(address, end - start, MADV_DONTNEED)
  }

  /// Advises the system that pages of a file will be read soon.
  package func prefetch(_ range: Range<Int>) {
    guard !(owner is MemoryBlock), let base = bytes.baseAddress else { return }
    let range = range.clamped(to: 0..<bytes.count)
    let start = (Int(bitPattern: base) + range.lowerBound) / Self.page * Self.page
    guard let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
    madvise(address, Int(bitPattern: base) + range.upperBound - start, MADV_WILLNEED)
  }

  /// Advises the system that the bytes will be read in random order.
  package func adviseRandomAccess() {
    guard !(owner is MemoryBlock), let base = bytes.baseAddress else { return }
    let start = Int(bitPattern: base) / Self.page * Self.page
    guard let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
    madvise(address, Int(bitPattern: base) + bytes.count - start, MADV_RANDOM)
  }

  private static let page = 4096
}

/// Memory that is freed with its last reference.
private final class MemoryBlock: @unchecked Sendable {
  // Sendable: written once, before it is shared.
  let memory: UnsafeMutableRawBufferPointer

  init(count: Int) { memory = .allocate(byteCount: count, alignment: 16) }

  deinit { memory.deallocate() }
}
