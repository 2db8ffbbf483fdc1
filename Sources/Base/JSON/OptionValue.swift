/// A setting as Python writes one down: what the original keeps in `args`, `training_set_kwargs` and
/// the keyword arguments of its networks.
///
/// Dictionaries keep their order, and 1 differs from 1.0, so that settings survive the way through
/// both file formats.
package enum OptionValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case tuple([OptionValue])
  case list([OptionValue])
  case dictionary([Entry])

  /// A named setting.
  package struct Entry: Equatable, Sendable {
    /// Its name.
    package let key: String
    /// Its value.
    package let value: OptionValue

    /// A named setting.
    package init(_ key: String, _ value: OptionValue) {
      self.key = key
      self.value = value
    }
  }

  /// The value under a key; `nil` without the key, and for other kinds than a dictionary.
  package subscript(key: String) -> OptionValue? {
    guard case .dictionary(let entries) = self else { return nil }
    return entries.last { $0.key == key }?.value
  }

  /// The whole number, or `nil`.
  package var int: Int? {
    if case .int(let value) = self { value } else { nil }
  }

  /// The number, or `nil`.
  package var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The truth value, or `nil`.
  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The text, or `nil`.
  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// A dictionary with one more entry, or the same where there is no value.
  package func adding(_ key: String, _ value: OptionValue?) -> OptionValue {
    guard let value, case .dictionary(let entries) = self else { return self }
    return .dictionary(entries + [Entry(key, value)])
  }

  /// Whether there is nothing to keep: None, or a dictionary without entries.
  package var isEmpty: Bool { self == .null || self == .dictionary([]) }
}

extension OptionValue: ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(stringLiteral value: String) { self = .string(value) }
  package init(arrayLiteral elements: OptionValue...) { self = .list(elements) }
  package init(dictionaryLiteral elements: (String, OptionValue)...) {
    self = .dictionary(elements.map { Entry($0.0, $0.1) })
  }
}
