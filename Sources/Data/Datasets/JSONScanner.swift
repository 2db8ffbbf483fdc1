import Glibc

/// A strict, forward-only JSON reader over bytes, for documents far larger than memory.
///
/// It reads one value at a time and keeps no tree. Every byte is checked before it is read; nesting and
/// strings are bounded, so hostile text ends in an error. Grammar: RFC 8259, but strings that are not UTF-8
/// are repaired and counted.
struct JSONScanner {
  /// A syntax error, or a value of an unexpected kind.
  struct Damage: Error {
    var reason: String
  }

  private let bytes: UnsafeRawBufferPointer
  /// The offset of the next byte.
  private(set) var position = 0
  /// simdjson's reader, made for the first list.
  private var lists: NumberLists?
  /// Strings so far that were not UTF-8; their broken bytes became U+FFFD.
  private(set) var repairedCount = 0

  private static let maximumDepth = 64
  /// The limit on a string in bytes; names and captions have far fewer.
  static let maximumLength = 1 << 20

  /// Starts at the first byte, or behind a mark of UTF-8; the bytes must outlive the scanner.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// Walks an object: `body` is called after each key and must read its value.
  mutating func object<Failure: Error>(
    _ body: (inout JSONScanner, String) throws(Failure) -> Void,
    damage: (Damage) -> Failure
  ) throws(Failure) {
    do throws(Damage) { try expect(UInt8(ascii: "{")) } catch { throw damage(error) }
    if skip(UInt8(ascii: "}")) { return }
    repeat {
      let key: String
      do throws(Damage) {
        key = try string()
        try expect(UInt8(ascii: ":"))
      } catch { throw damage(error) }
      try body(&self, key)
    } while skip(UInt8(ascii: ","))
    do throws(Damage) { try expect(UInt8(ascii: "}")) } catch { throw damage(error) }
  }

  /// Walks an array: `body` is called before each element and must read it.
  mutating func array<Failure: Error>(
    _ body: (inout JSONScanner) throws(Failure) -> Void,
    damage: (Damage) -> Failure
  ) throws(Failure) {
    do throws(Damage) { try expect(UInt8(ascii: "[")) } catch { throw damage(error) }
    if skip(UInt8(ascii: "]")) { return }
    repeat { try body(&self) } while skip(UInt8(ascii: ","))
    do throws(Damage) { try expect(UInt8(ascii: "]")) } catch { throw damage(error) }
  }

  /// Reads an array of at most `limit` numbers.
  ///
  /// They are nearly all of a document that LAFITE packed. Arrays that simdjson refuses are read number by
  /// number, to the same result or to an error with its position.
  mutating func numbers(limit: Int) throws(Damage) -> [Float] {
    skipSpace()
    let lists = lists ?? NumberLists()
    self.lists = lists
    if let list = lists.read(bytes[position...], limit: limit) {
      position += list.length
      return list.values
    }
    return try plainNumbers(limit: limit)
  }

  /// Reads an array of at most `limit` numbers, one after another.
  mutating func plainNumbers(limit: Int) throws(Damage) -> [Float] {
    var values: [Float] = []
    try expect(UInt8(ascii: "["))
    if skip(UInt8(ascii: "]")) { return values }
    repeat {
      guard values.count < limit else { throw damage("a list of more than \(limit) numbers") }
      values.append(try float())
    } while skip(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return values
  }

  /// Reads a string of at most `maximumLength` bytes.
  mutating func string() throws(Damage) -> String {
    try expect(UInt8(ascii: "\""))
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        if let string = String(validating: text, as: UTF8.self) { return string }
        repairedCount += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape()
      case 0..<0x20: throw damage("a control character inside of a string")
      default: text.append(byte)
      }
      guard text.count <= Self.maximumLength else {
        throw damage("a string of more than \(Self.maximumLength) bytes")
      }
    }
    throw damage("a string without an end")
  }

  /// Skips a string of any length, without memory.
  private mutating func skipString() throws(Damage) {
    try expect(UInt8(ascii: "\""))
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return
      case UInt8(ascii: "\\"): _ = try escape()
      case 0..<0x20: throw damage("a control character inside of a string")
      default: break
      }
    }
    throw damage("a string without an end")
  }

  /// Reads `null` if it comes next.
  mutating func null() -> Bool {
    skipSpace()
    guard bytes.count - position >= 4, bytes[position..<position + 4].elementsEqual("null".utf8)
    else { return false }
    position += 4
    return true
  }

  /// The first byte of the next token; `nil` at the end.
  mutating func peek() -> UInt8? {
    skipSpace()
    return position < bytes.count ? bytes[position] : nil
  }

  /// Skips one value of any kind.
  mutating func skipValue(depth: Int = 0) throws(Damage) {
    guard depth < Self.maximumDepth else { throw damage("nesting deeper than \(depth)") }
    skipSpace()
    guard position < bytes.count else { throw damage("its end comes too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"):
      position += 1
      if skip(UInt8(ascii: "}")) { return }
      repeat {
        try skipString()
        try expect(UInt8(ascii: ":"))
        try skipValue(depth: depth + 1)
      } while skip(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"))
    case UInt8(ascii: "["):
      try array(
        { (scanner) throws(Damage) in try scanner.skipValue(depth: depth + 1) },
        damage: { $0 }
      )
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "t"): try expect("true")
    case UInt8(ascii: "f"): try expect("false")
    case UInt8(ascii: "n"): try expect("null")
    default: _ = try double()
    }
  }

  /// The first byte of the next value; `nil` at the end.
  var next: UInt8? {
    mutating get {
      skipSpace()
      return position < bytes.count ? bytes[position] : nil
    }
  }

  /// Checks that only white space is left.
  mutating func end() throws(Damage) {
    skipSpace()
    guard position == bytes.count else { throw damage("text after its end") }
  }

  /// An error at the current position.
  func damage(_ reason: String) -> Damage { Damage(reason: "\(reason) at byte \(position)") }

  /// Reads a number, correctly rounded.
  ///
  /// Up to 15 digits and a small exponent are exact in one double operation (Clinger, "How to Read
  /// Floating Point Numbers Accurately", PLDI 1990); everything else goes to the C library.
  mutating func double() throws(Damage) -> Double {
    skipSpace()
    let start = position
    let isNegative = take(UInt8(ascii: "-"))
    var mantissa: UInt64 = 0
    let isLed = position < bytes.count && bytes[position] == UInt8(ascii: "0")
    var digits = takeDigits(into: &mantissa)
    if isLed && digits > 1 { throw damage("a number that begins with a needless 0") }
    guard digits > 0 else { throw damage("no number where one is expected") }
    var exponent = 0
    if take(UInt8(ascii: ".")) {
      let fraction = takeDigits(into: &mantissa)
      guard fraction > 0 else { throw damage("a number without digits after its point") }
      digits += fraction
      exponent = -fraction
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      let isSmall = take(UInt8(ascii: "-"))
      if !isSmall { _ = take(UInt8(ascii: "+")) }
      exponent += (isSmall ? -1 : 1) * (try takeExponent())
    }
    var value: Double
    if digits <= 19 && mantissa <= 1 << 53 && (-22...22).contains(exponent) {
      value = Double(mantissa)
      if exponent < 0 { value /= Self.powers[-exponent] } else { value *= Self.powers[exponent] }
      if isNegative { value.negate() }
    } else {
      guard position - start <= 400 else { throw damage("a number of over 400 characters") }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      value = strtod(text, nil)
    }
    guard value.isFinite else { throw damage("a number beyond double precision") }
    return value
  }

  private mutating func float() throws(Damage) -> Float {
    let number = Float(try double())
    guard number.isFinite else { throw damage("a number beyond single precision") }
    return number
  }

  /// Takes digits, appending them to `value` (which wraps beyond 19 digits).
  private mutating func takeDigits(into value: inout UInt64) -> Int {
    let start = position
    while position < bytes.count {
      let digit = bytes[position] &- UInt8(ascii: "0")
      if digit > 9 { break }
      value = value &* 10 &+ UInt64(digit)
      position += 1
    }
    return position - start
  }

  /// Takes the digits of an exponent; beyond 100,000 the number is infinite or zero anyway.
  private mutating func takeExponent() throws(Damage) -> Int {
    let start = position
    var power = 0
    while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit <= 9
    {
      power = min(power * 10 + Int(digit), 100_000)
      position += 1
    }
    guard position > start else { throw damage("an exponent without digits") }
    return power
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    skipSpace()
    return take(byte)
  }

  private mutating func expect(_ byte: UInt8) throws(Damage) {
    guard skip(byte) else { throw damage("no '\(Character(UnicodeScalar(byte)))' where expected") }
  }

  private mutating func expect(_ word: StaticString) throws(Damage) {
    for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) {
      throw damage("an unknown word")
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Reads an escape, after its backslash.
  private mutating func escape() throws(Damage) -> [UInt8] {
    guard position < bytes.count else { throw damage("a string without an end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw damage("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(Damage) -> [UInt8] {
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]) {
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
        throw damage("half a surrogate pair")
      }
      units.append(try codeUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw damage("half a surrogate pair")
    }
    return Array(text.utf8)
  }

  private mutating func codeUnit() throws(Damage) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue
      else { throw damage("an escape without four hexadecimal digits") }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }

  private static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]
}
