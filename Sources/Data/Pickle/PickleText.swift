/// The two text encodings of protocol 0.
enum PickleText {
  /// The bytes of a Python 2 string literal, such as `'a\x00\n'`, or `nil` if it is broken.
  static func quotedBytes(_ line: [UInt8]) -> [UInt8]? {
    var line = line[...]
    while line.last == 0x0D || line.last == 0x20 { line.removeLast() }
    guard line.count >= 2, let quote = line.first, quote == 0x27 || quote == 0x22,
      line.last == quote
    else { return nil }
    line = line.dropFirst().dropLast()
    var bytes: [UInt8] = []
    while let byte = line.popFirst() {
      if byte != UInt8(ascii: "\\") {
        bytes.append(byte)
        continue
      }
      guard let escape = line.popFirst() else { return nil }
      switch escape {
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "x"):
        guard let value = hex(&line, count: 2) else { return nil }
        bytes.append(UInt8(value))
      default: return nil
      }
    }
    return bytes
  }

  /// The text of Python's raw-unicode-escape: Latin-1, with the rest as `\u20ac` or `\U0001f642`.
  static func rawUnicodeEscape(_ line: [UInt8]) -> String? {
    var line = line[...]
    var scalars = String.UnicodeScalarView()
    while let byte = line.popFirst() {
      let next = line.first
      guard byte == UInt8(ascii: "\\"), next == UInt8(ascii: "u") || next == UInt8(ascii: "U")
      else {
        scalars.append(Unicode.Scalar(byte))
        continue
      }
      line.removeFirst()
      guard let value = hex(&line, count: next == UInt8(ascii: "u") ? 4 : 8),
        let scalar = Unicode.Scalar(value)
      else { return nil }
      scalars.append(scalar)
    }
    return String(scalars)
  }

  private static func hex(_ line: inout ArraySlice<UInt8>, count: Int) -> UInt32? {
    guard line.count >= count else { return nil }
    var value: UInt32 = 0
    for byte in line.prefix(count) {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value << 4 | UInt32(digit)
    }
    line = line.dropFirst(count)
    return value
  }
}
