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
    guard !digits.isEmpty else { return nil }
    var bytes: [UInt8] = [0]
    for character in digits.utf8 {
      guard (0x30...0x39).contains(character) else { return nil }
      var carry = Int(character) - 0x30
      for index in bytes.indices {
        carry += Int(bytes[index]) * 10
        bytes[index] = UInt8(carry & 0xFF)
        carry >>= 8
      }
      if carry > 0 { bytes.append(UInt8(carry)) }
    }
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
