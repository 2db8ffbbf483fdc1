/// An element of an answer of a store.
///
/// The reader takes what stores send: elements, text, the five entities and character references. It refuses
/// declarations of documents, and with them all entities that could expand; attributes are skipped. Depth and
/// number of elements are bounded, and the caller bounds the bytes.
struct XMLElement: Equatable {
  var name: String
  var text = ""
  var children: [XMLElement] = []

  /// Text of the first child of a name; `nil` without one.
  subscript(name: String) -> String? { children.first { $0.name == name }?.text }

  /// Children of a name, in order.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  private static let maximumDepth = 12
  private static let maximumElements = 60_000

  /// Parses a whole document; `nil` if it is damaged, too deep, or something else.
  init?(parsing bytes: [UInt8]) {
    guard let document = String(validating: bytes, as: UTF8.self) else { return nil }
    var reader = Reader(document.unicodeScalars[...])
    guard let root = reader.document() else { return nil }
    self = root
  }

  private init(name: String) { self.name = name }

  /// Reads elements with a stack of its own: the input decides how deep they are nested.
  private struct Reader {
    var rest: Substring.UnicodeScalarView

    init(_ text: Substring.UnicodeScalarView) { rest = text }

    mutating func document() -> XMLElement? {
      var open: [XMLElement] = []
      var count = 0
      while let character = rest.first {
        if character != "<" {
          guard let text = text() else { return nil }
          if open.isEmpty {
            guard text.allSatisfy({ $0.isWhitespace || $0 == "\u{FEFF}" }) else { return nil }
          } else {
            open[open.count - 1].text += text
          }
        } else if skip("<?") {
          guard pass("?>") != nil else { return nil }
        } else if skip("<!--") {
          guard pass("-->") != nil else { return nil }
        } else if skip("<![CDATA[") {
          guard !open.isEmpty, let raw = pass("]]>") else { return nil }
          open[open.count - 1].text += String(raw)
        } else if skip("</") {
          guard let tag = pass(">"), let closed = open.popLast(),
            Self.local(tag) == closed.name
          else { return nil }
          guard !open.isEmpty else { return isBlank ? closed : nil }
          open[open.count - 1].children.append(closed)
        } else if skip("<!") {
          return nil
        } else {
          rest.removeFirst()
          guard let tag = tag() else { return nil }
          count += 1
          if count > XMLElement.maximumElements || open.count >= XMLElement.maximumDepth {
            return nil
          }
          let element = XMLElement(name: Self.local(tag.content))
          if element.name.isEmpty { return nil }
          if !tag.isClosed {
            open.append(element)
          } else if open.isEmpty {
            return isBlank ? element : nil
          } else {
            open[open.count - 1].children.append(element)
          }
        }
      }
      return nil
    }

    /// Whether only blanks follow.
    private var isBlank: Bool { rest.allSatisfy { $0.properties.isWhitespace } }

    /// Skips some characters if they come next.
    private mutating func skip(_ sign: String) -> Bool {
      guard rest.starts(with: sign.unicodeScalars) else { return false }
      rest = rest.dropFirst(sign.unicodeScalars.count)
      return true
    }

    /// What is before a sign, which is passed; `nil` if the sign does not come.
    private mutating func pass(_ sign: String) -> Substring.UnicodeScalarView? {
      let begin = rest
      while !rest.isEmpty {
        if rest.starts(with: sign.unicodeScalars) {
          let before = begin[..<rest.startIndex]
          rest = rest.dropFirst(sign.unicodeScalars.count)
          return before
        }
        rest.removeFirst()
      }
      return nil
    }

    /// A tag after its `<`, past its `>`, which may also stand in the value of an attribute.
    private mutating func tag() -> (content: Substring.UnicodeScalarView, isClosed: Bool)? {
      let begin = rest
      var quote: Unicode.Scalar?
      while let character = rest.popFirst() {
        if let mark = quote {
          if character == mark { quote = nil }
        } else if character == "\"" || character == "'" {
          quote = character
        } else if character == "<" {
          return nil
        } else if character == ">" {
          let content = begin[..<rest.startIndex].dropLast()
          return content.last == "/" ? (content.dropLast(), true) : (content, false)
        }
      }
      return nil
    }

    /// The name of a tag without its prefix.
    private static func local(_ tag: Substring.UnicodeScalarView) -> String {
      let name = tag.prefix { !$0.properties.isWhitespace }
      return String(name.split(separator: ":").last ?? name)
    }

    /// Text up to the next tag, with its references replaced.
    private mutating func text() -> String? {
      var text = String.UnicodeScalarView()
      while let character = rest.first, character != "<" {
        rest.removeFirst()
        if character != "&" {
          text.append(character)
          continue
        }
        let name = String(rest.prefix(12).prefix { $0 != ";" })
        guard let value = Self.entity(name), rest.dropFirst(name.unicodeScalars.count).first == ";"
        else { return nil }
        rest = rest.dropFirst(name.unicodeScalars.count + 1)
        text.append(value)
      }
      return String(text)
    }

    private static func entity(_ name: String) -> Unicode.Scalar? {
      switch name {
      case "lt": return "<"
      case "gt": return ">"
      case "amp": return "&"
      case "quot": return "\""
      case "apos": return "'"
      default: break
      }
      guard name.hasPrefix("#") else { return nil }
      let isHexadecimal = name.hasPrefix("#x")
      return UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
        .flatMap { Unicode.Scalar($0) }
    }
  }
}
