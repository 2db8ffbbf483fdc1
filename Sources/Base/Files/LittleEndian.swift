extension UnsafeRawBufferPointer {
  /// The unsigned little-endian integer at `offset`, which must be in bounds.
  package func littleEndian<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ type: Value.Type,
    at offset: Int
  ) -> Value {
    precondition(
      offset >= 0 && count - offset >= MemoryLayout<Value>.size,
      "read of \(Value.self) at \(offset) in \(count) bytes"
    )
    return Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// A slice as a buffer of its own.
  package func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[range])
  }
}

extension [UInt8] {
  /// Appends an integer, least significant byte first.
  package mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
