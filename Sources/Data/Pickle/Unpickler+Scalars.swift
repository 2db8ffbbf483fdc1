import Files

extension Unpickler {
  // MARK: Numbers

  mutating func number(
    _ opcode: PickleOpcode,
    at start: Int
  ) throws(PickleError) -> PickleValue {
    switch opcode {
    case .newTrue: return true
    case .newFalse: return false
    case .binInt: return .int(Int64(try reader.integer(Int32.self)))
    case .binInt1: return .int(Int64(try reader.byte()))
    case .binInt2: return .int(Int64(try reader.integer(UInt16.self)))
    case .long1:
      return try integer(try reader.bytes(Int(try reader.byte())))
    case .long4:
      return try integer(try reader.bytes(try reader.length(Int32.self)))
    case .binFloat:
      return .double(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped))
    case .int, .long: return try decimal(opcode, at: start)
    case .float:
      let text = String(decoding: try reader.line(limit: 64), as: UTF8.self)
      guard let value = Double(text) else {
        throw .malformed(offset: start, reason: "a float that is no number")
      }
      return .double(value)
    default: return .none
    }
  }

  /// A little-endian number in two's complement of any length; empty means 0.
  private mutating func integer(_ buffer: MappedBytes) throws(PickleError) -> PickleValue {
    let count = buffer.count
    if count > 8 {
      try spend(count)
      return TwosComplement.value(buffer.array)
    }
    return TwosComplement.value(buffer.array)
  }

  private mutating func decimal(
    _ opcode: PickleOpcode,
    at start: Int
  ) throws(PickleError) -> PickleValue {
    // Python itself refuses decimal numbers beyond 4300 digits: reading them is quadratic.
    var text = String(decoding: try reader.line(limit: 4302), as: UTF8.self)
    if opcode == .int, text == "00" || text == "01" { return .bool(text == "01") }
    if text.hasSuffix("L") { text.removeLast() }
    if let value = Int64(text) { return .int(value) }
    guard let bytes = TwosComplement.bytes(decimal: text) else {
      throw .malformed(offset: start, reason: "an integer that is no number")
    }
    try spend(bytes.count)
    return TwosComplement.value(bytes)
  }

  // MARK: Text and bytes

  mutating func text(_ opcode: PickleOpcode, at start: Int) throws(PickleError) -> PickleValue {
    switch opcode {
    case .shortBinUnicode: return try unicode(Int(try reader.byte()), at: start)
    case .binUnicode: return try unicode(try reader.length(UInt32.self), at: start)
    case .binUnicode8: return try unicode(try reader.length(UInt64.self), at: start)
    case .shortBinBytes: return try bytes(Int(try reader.byte()))
    case .binBytes: return try bytes(try reader.length(UInt32.self))
    case .binBytes8: return try bytes(try reader.length(UInt64.self))
    case .byteArray8:
      let length = try reader.length(UInt64.self)
      try spend(Self.bytesCost)
      return .bytes(PickleBytes(try reader.bytes(length), isMutable: true))
    case .shortBinString: return try python2String(reader.bytes(Int(try reader.byte())))
    case .binString: return try python2String(reader.bytes(try reader.length(Int32.self)))
    case .string:
      let line = try reader.line(limit: Self.lineLimit)
      guard let decoded = PickleText.quotedBytes(line) else {
        throw .malformed(offset: start, reason: "a string without proper quotes or escapes")
      }
      return try python2String(MappedBytes(copying: decoded))
    default:
      let line = try reader.line(limit: Self.lineLimit)
      guard let decoded = PickleText.rawUnicodeEscape(line) else {
        throw .malformed(offset: start, reason: "a string with broken \\u escapes")
      }
      try spend(decoded.utf8.count)
      return .string(decoded)
    }
  }

  private mutating func unicode(_ count: Int, at start: Int) throws(PickleError) -> PickleValue {
    let buffer = try reader.bytes(count)
    try spend(count)
    guard let text = buffer.withBytes({ String(validating: $0, as: UTF8.self) }) else {
      throw .malformed(offset: start, reason: "a string that is not UTF-8")
    }
    return .string(text)
  }

  /// Memory of a run of bytes that stay where they are in the file.
  private static let bytesCost = 160

  private mutating func bytes(_ count: Int) throws(PickleError) -> PickleValue {
    try spend(Self.bytesCost)
    return .bytes(PickleBytes(try reader.bytes(count)))
  }

  /// A `str` of Python 2, which held text and bytes alike: text where it is plain ASCII.
  private mutating func python2String(_ buffer: MappedBytes) throws(PickleError) -> PickleValue {
    try spend(buffer.count)
    let text: String? = buffer.withBytes { bytes in
      bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
    }
    return text.map { .string($0) } ?? .bytes(PickleBytes(buffer))
  }
}
