/// Integers of any length as little-endian two's complement, the way pickle keeps them.
enum TwosComplement {
  /// The shortest form of a number: `int` where 64 bits suffice.
  static func value(_ bytes: [UInt8]) -> PickleValue {
    var bytes = bytes
    // Drop bytes that only repeat the sign.
    while let last = bytes.last {
      let sign: UInt8 = bytes.count > 1 && bytes[bytes.count - 2] >= 0x80 ? 0xFF : 0
      guard last == sign, bytes.count > 1 || last == 0 else { break }
      bytes.removeLast()
    }
    guard bytes.count <= 8 else { return .bigInt(bytes) }
    var bits: UInt64 = (bytes.last ?? 0) >= 0x80 ? .max : 0
    for byte in bytes.reversed() { bits = bits << 8 | UInt64(byte) }
    return .int(Int64(bitPattern: bits))
  }

  /// The number that a decimal text says, or `nil` where it says none.
  static func bytes(decimal text: String) -> [UInt8]? {
    var digits = text[...]
    let isNegative = digits.hasPrefix("-")
    if isNegative { digits = digits.dropFirst() }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    // Nine digits at a time: numbers of thousands of digits would take too long one by one.
    var words: [UInt32] = []
    var rest = Array(digits.utf8)[...]
    while !rest.isEmpty {
      let chunk = rest.prefix((rest.count - 1) % 9 + 1)
      rest = rest.dropFirst(chunk.count)
      var carry = chunk.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
      for index in words.indices {
        carry += UInt64(words[index]) * 1_000_000_000
        words[index] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      if carry > 0 { words.append(UInt32(carry)) }
    }
    var bytes = words.flatMap { word in withUnsafeBytes(of: word.littleEndian, Array.init) }
    bytes.append(0)
    return isNegative ? negated(bytes) : bytes
  }

  private static func negated(_ bytes: [UInt8]) -> [UInt8] {
    var carry = 1
    return bytes.map { byte in
      carry += Int(~byte)
      defer { carry >>= 8 }
      return UInt8(carry & 0xFF)
    }
  }
}
