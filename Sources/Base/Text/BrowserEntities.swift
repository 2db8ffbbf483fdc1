/// Resolves HTML character references: `&amp;`, `&#39;`, `&#x1F602;`.
///
/// Named references are HTML 4's. An unknown one stays as it is written. Resolving happens once:
/// `&amp;lt;` becomes `&lt;`, as in a browser.
package enum HTMLEntities {
  /// A text with its references resolved.
  package static func resolved(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
    var result = ""
    var rest = Substring(text)
    while let ampersand = rest.firstIndex(of: "&") {
      result += rest[..<ampersand]
      rest = rest[ampersand...]
      if let (character, end) = reference(at: rest) {
        result.unicodeScalars.append(character)
        rest = rest[end...]
      } else {
        result += "&"
        rest = rest.dropFirst()
      }
    }
    return result + rest
  }

  /// The character that the reference at the start of `text` stands for, and where it ends.
  private static func reference(at text: Substring) -> (Unicode.Scalar, Substring.Index)? {
    let window = text.prefix(maximumLength + 2)
    guard let semicolon = window.firstIndex(of: ";") else { return nil }
    let name = window[window.index(after: window.startIndex)..<semicolon]
    guard let character = scalar(name) else { return nil }
    return (character, text.index(after: semicolon))
  }

  private static func scalar(_ name: Substring) -> Unicode.Scalar? {
    guard name.hasPrefix("#") else { return entities[String(name)] }
    let digits = name.dropFirst()
    let value =
      digits.hasPrefix("x") || digits.hasPrefix("X")
      ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    // Old pages number the characters 128–159 as Windows-1252 does; HTML standardises that.
    guard let value, value != 0 else { return nil }
    return windows1252[value] ?? Unicode.Scalar(value)
  }

  private static let maximumLength = 10
}
