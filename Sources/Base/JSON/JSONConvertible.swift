extension OptionValue {
  /// The value at a path of keys; `nil` where there is none.
  package subscript(path: ArraySlice<String>) -> OptionValue? {
    guard let first = path.first else { return self }
    return self[first]?[path.dropFirst()]
  }

  /// Puts a value at a path of keys, making dictionaries on the way; new keys come last.
  package mutating func set(_ path: ArraySlice<String>, _ value: OptionValue) {
    guard let first = path.first else {
      self = value
      return
    }
    var entries: [Entry] = []
    if case .dictionary(let old) = self { entries = old }
    let index = entries.firstIndex { $0.key == first }
    var member = index.map { entries[$0].value } ?? [:]
    member.set(path.dropFirst(), value)
    if let index {
      entries[index] = Entry(first, member)
    } else {
      entries.append(Entry(first, member))
    }
    self = .dictionary(entries)
  }
}

/// What can stand in a file of options.
package protocol JSONConvertible: SendableMetatype {
  /// The value as it is written.
  var json: OptionValue { get }
  /// The value of what is written; `nil` for another kind.
  init?(json: OptionValue)
}

extension Bool: JSONConvertible {
  package var json: OptionValue { .bool(self) }
  package init?(json: OptionValue) {
    guard let value = json.bool else { return nil }
    self = value
  }
}

extension Int: JSONConvertible {
  package var json: OptionValue { .int(self) }
  package init?(json: OptionValue) {
    guard let value = json.double.flatMap({ Int(exactly: $0) }) else { return nil }
    self = json.int ?? value
  }
}

extension Double: JSONConvertible {
  package var json: OptionValue { .double(self) }
  package init?(json: OptionValue) {
    guard let value = json.double else { return nil }
    self = value
  }
}

extension String: JSONConvertible {
  package var json: OptionValue { .string(self) }
  package init?(json: OptionValue) {
    guard let value = json.string else { return nil }
    self = value
  }
}

extension Optional: JSONConvertible where Wrapped: JSONConvertible {
  package var json: OptionValue { self?.json ?? .null }
  package init?(json: OptionValue) {
    if json == .null {
      self = .none
    } else if let value = Wrapped(json: json) {
      self = .some(value)
    } else {
      return nil
    }
  }
}

extension Array: JSONConvertible where Element: JSONConvertible {
  package var json: OptionValue { .list(map(\.json)) }
  package init?(json: OptionValue) {
    guard case .list(let values) = json else { return nil }
    let elements = values.compactMap { Element(json: $0) }
    guard elements.count == values.count else { return nil }
    self = elements
  }
}

extension JSONConvertible where Self: RawRepresentable, RawValue == String {
  /// The raw value.
  package var json: OptionValue { .string(rawValue) }
  /// The case of a raw value.
  package init?(json: OptionValue) {
    guard let name = json.string else { return nil }
    self.init(rawValue: name)
  }
}
