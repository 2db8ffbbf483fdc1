import Text

extension OptionValue {
  /// The value as JSON, on one line.
  ///
  /// As in Python's `json`, numbers that JSON lacks are `NaN`, `Infinity` and `-Infinity`. A tuple is
  /// an object with the only key `__tuple__`. Floats always have a point or an exponent.
  package var json: String {
    var text = ""
    append(to: &text, indent: nil)
    return text
  }

  /// The value as JSON, indented for people.
  package var prettyJSON: String {
    var text = ""
    append(to: &text, indent: 0)
    return text + "\n"
  }

  /// Reads JSON as `json` writes it; `nil` for anything that is not.
  package init?(json text: String) {
    var parser = JSONParser(text)
    guard let value = parser.document() else { return nil }
    self = value
  }

  private func append(to text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .double(let value): text += Self.number(value)
    case .string(let value): Self.append(quoted: value, to: &text)
    case .tuple(let items):
      OptionValue.dictionary([Entry("__tuple__", .list(items))]).append(to: &text, indent: indent)
    case .list(let items):
      Self.append(items, between: "[", "]", to: &text, indent) { item, text, indent in
        item.append(to: &text, indent: indent)
      }
    case .dictionary(let entries):
      Self.append(entries, between: "{", "}", to: &text, indent) { entry, text, indent in
        Self.append(quoted: entry.key, to: &text)
        text += ": "
        entry.value.append(to: &text, indent: indent)
      }
    }
  }

  private static func append<Item>(
    _ items: [Item],
    between open: String,
    _ close: String,
    to text: inout String,
    _ indent: Int?,
    each: (Item, inout String, Int?) -> Void
  ) {
    text += open
    let inner = indent.map { $0 + 2 }
    for (index, item) in items.enumerated() {
      if index > 0 { text += inner == nil ? ", " : "," }
      if let inner { text += "\n" + String(repeating: " ", count: inner) }
      each(item, &text, inner)
    }
    if let indent, !items.isEmpty { text += "\n" + String(repeating: " ", count: indent) }
    text += close
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return value.description
  }

  private static func append(quoted value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\u{0}"..<" ":
        text += "\\u" + zeroPadded(scalar.value, to: 4, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

/// A strict reader of JSON that keeps the order of keys and tells 1 from 1.0.
private struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
    // Some editors put a mark of UTF-8 before what they save.
    if bytes.starts(with: "\u{FEFF}".utf8) { position = 3 }
  }

  mutating func document() -> OptionValue? {
    guard let value = value() else { return nil }
    skipSpace()
    return position == bytes.count ? value : nil
  }

  private mutating func value() -> OptionValue? {
    skipSpace()
    guard depth < 64, position < bytes.count else { return nil }
    depth += 1
    defer { depth -= 1 }
    switch bytes[position] {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array().map { .list($0) }
    case UInt8(ascii: "\""): return string().map { .string($0) }
    default: return word()
    }
  }

  private mutating func object() -> OptionValue? {
    position += 1
    var entries: [OptionValue.Entry] = []
    if take("}") { return .dictionary([]) }
    repeat {
      skipSpace()
      guard let key = string(), take(":"), let value = value() else { return nil }
      entries.append(.init(key, value))
    } while take(",")
    guard take("}") else { return nil }
    if entries.count == 1, entries[0].key == "__tuple__", case .list(let items) = entries[0].value {
      return .tuple(items)
    }
    return .dictionary(entries)
  }

  private mutating func array() -> [OptionValue]? {
    position += 1
    var items: [OptionValue] = []
    if take("]") { return [] }
    repeat {
      guard let value = value() else { return nil }
      items.append(value)
    } while take(",")
    return take("]") ? items : nil
  }

  /// A number, or one of the words that stand for a value.
  private mutating func word() -> OptionValue? {
    let start = position
    while position < bytes.count, Self.isWordByte(bytes[position]) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    switch word {
    case "null": return .null
    case "true": return true
    case "false": return false
    case "NaN": return .double(.nan)
    case "Infinity": return .double(.infinity)
    case "-Infinity": return .double(-.infinity)
    default:
      if let number = Int(word) { return .int(number) }
      // Swift also reads hexadecimal numbers and words such as `inf`.
      let isDecimal = word.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
      return isDecimal ? Double(word).map { .double($0) } : nil
    }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }

  private mutating func string() -> String? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
    position += 1
    var units: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: units, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = escape() else { return nil }
        units += Array(String(escaped).utf8)
      case 0..<0x20: return nil
      default: units.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard position < bytes.count else { return nil }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"):
      guard let high = codeUnit() else { return nil }
      guard 0xD800..<0xDC00 ~= high else { return Unicode.Scalar(high) }
      // The other half of a pair that stands for a character beyond 16 bits.
      guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
        return nil
      }
      position += 2
      guard let low = codeUnit(), 0xDC00..<0xE000 ~= low else { return nil }
      return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    default: return nil
    }
  }

  private mutating func codeUnit() -> UInt32? {
    guard bytes.count - position >= 4 else { return nil }
    defer { position += 4 }
    return UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }
}
