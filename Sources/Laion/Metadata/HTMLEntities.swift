/// Resolves HTML character references: `&amp;`, `&#39;`, `&#x1F602;`.
///
/// Named references are those that occur in captions: the markup characters, Latin-1, and the
/// punctuation of typesetting. An unknown reference stays as it is written. Resolving happens once:
/// `&amp;lt;` becomes `&lt;`, as in a browser.
enum HTMLEntities {
  static func resolved(_ text: String) -> String {
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
    guard name.hasPrefix("#") else { return named[String(name)].flatMap { Unicode.Scalar($0) } }
    let digits = name.dropFirst()
    let value =
      digits.hasPrefix("x") || digits.hasPrefix("X")
      ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    // Old pages number the characters 128–159 as Windows-1252 does; HTML standardises that.
    guard let value, value != 0 else { return nil }
    return Unicode.Scalar(windows1252[value] ?? value)
  }

  private static let maximumLength = 10

  /// The characters that Windows-1252 has where Unicode has control characters.
  static let windows1252: [UInt32: UInt32] = [
    0x80: 0x20AC, 0x82: 0x201A, 0x83: 0x0192, 0x84: 0x201E, 0x85: 0x2026, 0x86: 0x2020,
    0x87: 0x2021, 0x88: 0x02C6, 0x89: 0x2030, 0x8A: 0x0160, 0x8B: 0x2039, 0x8C: 0x0152,
    0x8E: 0x017D, 0x91: 0x2018, 0x92: 0x2019, 0x93: 0x201C, 0x94: 0x201D, 0x95: 0x2022,
    0x96: 0x2013, 0x97: 0x2014, 0x98: 0x02DC, 0x99: 0x2122, 0x9A: 0x0161, 0x9B: 0x203A,
    0x9C: 0x0153, 0x9E: 0x017E, 0x9F: 0x0178,
  ]

  // Latin-1 in code point order from U+00A0 on.
  private static let latin1 = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave \
    Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml \
    ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN \
    szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave \
    iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute \
    ucirc uuml yacute thorn yuml
    """

  private static let named: [String: UInt32] = {
    var names: [String: UInt32] = [
      "amp": 0x26, "lt": 0x3C, "gt": 0x3E, "quot": 0x22, "apos": 0x27, "OElig": 0x152,
      "oelig": 0x153, "Scaron": 0x160, "scaron": 0x161, "Yuml": 0x178, "fnof": 0x192,
      "circ": 0x2C6, "tilde": 0x2DC, "ensp": 0x2002, "emsp": 0x2003, "thinsp": 0x2009,
      "zwnj": 0x200C, "zwj": 0x200D, "ndash": 0x2013, "mdash": 0x2014, "lsquo": 0x2018,
      "rsquo": 0x2019, "sbquo": 0x201A, "ldquo": 0x201C, "rdquo": 0x201D, "bdquo": 0x201E,
      "dagger": 0x2020, "Dagger": 0x2021, "bull": 0x2022, "hellip": 0x2026, "permil": 0x2030,
      "prime": 0x2032, "Prime": 0x2033, "lsaquo": 0x2039, "rsaquo": 0x203A, "euro": 0x20AC,
      "trade": 0x2122, "larr": 0x2190, "uarr": 0x2191, "rarr": 0x2192, "darr": 0x2193,
      "hearts": 0x2665, "minus": 0x2212, "infin": 0x221E, "ne": 0x2260, "le": 0x2264,
      "ge": 0x2265,
    ]
    for (offset, name) in latin1.split(separator: " ").enumerated() {
      names[String(name)] = UInt32(0xA0 + offset)
    }
    return names
  }()
}
