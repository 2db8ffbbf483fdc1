import Foundation

/// A JSON value whose objects keep their order.
package indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// The value at a path of keys; `nil` where there is none.
  package subscript(path: ArraySlice<String>) -> JSONValue? {
    guard let first = path.first else { return self }
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == first }?.value[path.dropFirst()]
  }

  /// Puts a value at a path of keys, making objects on the way; new keys come last.
  package mutating func set(_ path: ArraySlice<String>, _ value: JSONValue) {
    guard let first = path.first else {
      self = value
      return
    }
    var members: [(key: String, value: JSONValue)] = []
    if case .object(let old) = self { members = old }
    let place = members.firstIndex { $0.key == first }
    var member = place.map { members[$0].value } ?? .object([])
    member.set(path.dropFirst(), value)
    if let place { members[place].value = member } else { members.append((first, member)) }
    self = .object(members)
  }

  /// The text as Python's json writes it with an indent of two.
  package var text: String { lines("") }

  private func lines(_ indent: String) -> String {
    let inner = indent + "  "
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .number(let value): return value.isFinite ? "\(value)" : "null"
    case .string(let value): return Self.quoted(value)
    case .array(let values) where values.isEmpty: return "[]"
    case .array(let values):
      let items = values.map { inner + $0.lines(inner) }
      return "[\n" + items.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members) where members.isEmpty: return "{}"
    case .object(let members):
      let items = members.map { "\(inner)\(Self.quoted($0.key)): \($0.value.lines(inner))" }
      return "{\n" + items.joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let characters = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case let control where control.value < 0x20: String(format: "\\u%04x", control.value)
      default: String(scalar)
      }
    }
    return "\"" + characters.joined() + "\""
  }
}

extension JSONValue: Decodable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  package init(from decoder: any Decoder) throws {
    if let object = try? decoder.container(keyedBy: Key.self) {
      self = .object(
        try object.allKeys.map { ($0.stringValue, try object.decode(JSONValue.self, forKey: $0)) }
      )
      return
    }
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else {
      self = .array(try value.decode([JSONValue].self))
    }
  }
}

/// What can stand in a file of options.
package protocol JSONConvertible {
  /// The value as JSON.
  var json: JSONValue { get }
  /// The value of JSON; `nil` for JSON of another kind.
  init?(json: JSONValue)
}

extension Bool: JSONConvertible {
  package var json: JSONValue { .bool(self) }
  package init?(json: JSONValue) {
    guard case .bool(let value) = json else { return nil }
    self = value
  }
}

extension Int: JSONConvertible {
  package var json: JSONValue { .integer(self) }
  package init?(json: JSONValue) {
    switch json {
    case .integer(let value): self = value
    case .number(let value):
      guard let whole = Int(exactly: value) else { return nil }
      self = whole
    default: return nil
    }
  }
}

extension Double: JSONConvertible {
  package var json: JSONValue { .number(self) }
  package init?(json: JSONValue) {
    switch json {
    case .integer(let value): self = Double(value)
    case .number(let value): self = value
    default: return nil
    }
  }
}

extension String: JSONConvertible {
  package var json: JSONValue { .string(self) }
  package init?(json: JSONValue) {
    guard case .string(let value) = json else { return nil }
    self = value
  }
}

extension Optional: JSONConvertible where Wrapped: JSONConvertible {
  package var json: JSONValue { self?.json ?? .null }
  package init?(json: JSONValue) {
    if case .null = json {
      self = .none
    } else if let value = Wrapped(json: json) {
      self = .some(value)
    } else {
      return nil
    }
  }
}

extension Array: JSONConvertible where Element: JSONConvertible {
  package var json: JSONValue { .array(map(\.json)) }
  package init?(json: JSONValue) {
    guard case .array(let values) = json else { return nil }
    let elements = values.compactMap { Element(json: $0) }
    guard elements.count == values.count else { return nil }
    self = elements
  }
}

extension JSONConvertible where Self: RawRepresentable, RawValue == String {
  /// The raw value.
  package var json: JSONValue { .string(rawValue) }
  /// The case of a raw value.
  package init?(json: JSONValue) {
    guard case .string(let name) = json else { return nil }
    self.init(rawValue: name)
  }
}
