/// Replaces HTML's character references: numbers and HTML 4's 252 names.
///
/// As in HTML 5, the names of Latin-1 characters and &amp; &lt; &gt; &quot; work without semicolon, also
/// in front of further letters.
package func htmlUnescaped(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  var result: [Unicode.Scalar] = []
  result.reserveCapacity(scalars.count)
  var index = 0
  while index < scalars.count {
    if scalars[index] == "&", let (value, length) = reference(scalars[(index + 1)...]) {
      if let value { result.append(value) }
      index += 1 + length
    } else {
      result.append(scalars[index])
      index += 1
    }
  }
  return result
}

/// What follows an ampersand: the character (none if it must not occur) and the length read.
private func reference(_ rest: ArraySlice<Unicode.Scalar>) -> (Unicode.Scalar?, Int)? {
  if rest.first == "#" { return numericReference(rest.dropFirst()) }
  let name = rest.prefix(8).prefix { $0.isASCII && ($0.properties.isAlphabetic || "0"..."9" ~= $0) }
  let text = String(String.UnicodeScalarView(name))
  if rest.dropFirst(name.count).first == ";", let value = entities[text] {
    return (value, name.count + 1)
  }
  for length in stride(from: name.count, to: 1, by: -1) {
    let prefix = String(text.prefix(length))
    if let value = entities[prefix], value.value < 256 { return (value, length) }
  }
  return nil
}

private func numericReference(_ rest: ArraySlice<Unicode.Scalar>) -> (Unicode.Scalar?, Int)? {
  let hexadecimal = rest.first == "x" || rest.first == "X"
  let body = hexadecimal ? rest.dropFirst() : rest
  let digits = body.prefix {
    $0.isASCII && (hexadecimal ? $0.properties.isASCIIHexDigit : "0"..."9" ~= $0)
  }
  if digits.isEmpty { return nil }
  let length = 1 + (hexadecimal ? 1 : 0) + digits.count
  let closed = body.dropFirst(digits.count).first == ";" ? 1 : 0
  let text = String(String.UnicodeScalarView(digits))
  // Too many digits for a number, surrogates and 0 all give the replacement character.
  let value = UInt32(text, radix: hexadecimal ? 16 : 10) ?? .max
  let scalar = windows1252[value] ?? Unicode.Scalar(value) ?? "\u{FFFD}"
  return (value == 0 ? "\u{FFFD}" : isForbidden(value) ? nil : scalar, length + closed)
}

/// Controls and non-characters, which a reference may not name.
private func isForbidden(_ value: UInt32) -> Bool {
  switch value {
  case 1...8, 0xB, 0xE...0x1F, 0x7F, 0xFDD0...0xFDEF: true
  default: value <= 0x10FFFF && value & 0xFFFE == 0xFFFE
  }
}
