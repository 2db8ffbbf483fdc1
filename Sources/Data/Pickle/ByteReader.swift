import Files

/// Reads little-endian fields one after the other; every read is checked against the end.
struct ByteReader {
  let buffer: MappedBytes
  private(set) var offset: Int

  init(_ buffer: MappedBytes, at offset: Int) {
    precondition(offset >= 0 && offset <= buffer.count, "offset \(offset) of \(buffer.count)")
    self.buffer = buffer
    self.offset = offset
  }

  var remaining: Int { buffer.count - offset }

  mutating func byte() throws(PickleError) -> UInt8 {
    guard remaining >= 1 else { throw truncated(1) }
    defer { offset += 1 }
    return buffer[offset]
  }

  /// A number of fixed width, little-endian.
  mutating func integer<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(PickleError) -> Number {
    let size = MemoryLayout<Number>.size
    guard remaining >= size else { throw truncated(size) }
    let start = offset
    offset += size
    return buffer.withBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: type))
    }
  }

  /// A length field of fixed width, at most the remaining bytes.
  mutating func length<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(PickleError) -> Int {
    let start = offset
    let value = try integer(type)
    guard let length = Int(exactly: value), length >= 0, length <= remaining else {
      throw .malformed(offset: start, reason: "length \(value) with \(remaining) bytes left")
    }
    return length
  }

  /// The next `count` bytes as a range of the buffer.
  mutating func bytes(_ count: Int) throws(PickleError) -> MappedBytes {
    guard count >= 0, count <= remaining else { throw truncated(count) }
    defer { offset += count }
    return buffer.slice(offset..<offset + count)
  }

  /// The bytes up to the next newline, which is consumed; at most `limit` of them.
  mutating func line(limit: Int) throws(PickleError) -> [UInt8] {
    let start = offset
    let end = min(buffer.count, start + min(limit, remaining))
    let line: [UInt8]? = buffer.withBytes { bytes in
      bytes[start..<end].firstIndex(of: 0x0A).map { Array(bytes[start..<$0]) }
    }
    guard let line else {
      throw .malformed(offset: start, reason: "no end of line within \(end - start) bytes")
    }
    offset += line.count + 1
    return line
  }

  private func truncated(_ count: Int) -> PickleError {
    .malformed(offset: offset, reason: "\(count) bytes expected, \(remaining) left")
  }
}
