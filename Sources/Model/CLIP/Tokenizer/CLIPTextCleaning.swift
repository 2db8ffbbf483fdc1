import Foundation
import Text

/// A caption as CLIP's pattern wants it: repaired, unescaped, spaces collapsed, lower case.
func cleanedForCLIP(_ caption: String) -> [Unicode.Scalar] {
  var scalars = repaired(Array(caption.unicodeScalars))
  for _ in 0..<2 where scalars.contains("&") { scalars = htmlUnescaped(scalars) }
  return lowercased(collapsingSpaces(scalars))
}

/// The repairs that OpenAI's tokenizer leaves to the ftfy package, as far as captions need them.
///
/// Entities (unless there is markup), UTF-8 that was read as Windows-1252, C1 controls, ligatures, full
/// width, curly quotes, terminal escapes, control characters, canonical composition. ftfy's guesses
/// about other encodings are left out.
private func repaired(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  if scalars.allSatisfy({ $0.isASCII && $0.value >= 32 && $0 != "&" && $0 != "\u{7F}" }) {
    return scalars
  }
  var current = scalars
  // Repairs can uncover each other (entities of entities); nobody nests more than a few deep.
  for _ in 0..<8 {
    var next = current
    if next.contains("&") && !next.contains("<") { next = htmlUnescaped(next) }
    next = withoutMojibake(next)
    next = withoutTerminalEscapes(next.flatMap(simplified)).filter { !isRemovedControl($0) }
    next = composed(next)
    if next == current { break }
    current = next
  }
  return current
}

/// One scalar in its plain form: ligatures in letters, full width as normal width, straight quotes.
private func simplified(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
  switch scalar.value {
  case ..<0x80: [scalar]
  case 0x80...0x9F: [windows1252[scalar.value] ?? scalar]
  case 0x149: ["'", "n"]
  case 0x132...0x133, 0x1C4...0x1CC, 0x1F1...0x1F3, 0xFB00...0xFB04, 0xFB06, 0xFF01...0xFFEF:
    Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
  case 0xFB05: ["\u{17F}", "t"]
  case 0x3000: [" "]
  case 0x2BC, 0x2018...0x201B: ["'"]
  case 0x201C...0x201F: ["\""]
  case 0x2028, 0x2029: ["\n"]
  default: [scalar]
  }
}

private func isRemovedControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0...8, 0xB, 0xE...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
  default: false
  }
}

/// Removes ESC [ digits and semicolons, letter.
private func withoutTerminalEscapes(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  if !scalars.contains("\u{1B}") { return scalars }
  var result: [Unicode.Scalar] = []
  var index = 0
  while index < scalars.count {
    if scalars[index] == "\u{1B}", index + 1 < scalars.count, scalars[index + 1] == "[" {
      var end = index + 2
      while end < scalars.count, "0"..."9" ~= scalars[end] || scalars[end] == ";" { end += 1 }
      if end < scalars.count, scalars[end].isASCII, scalars[end].properties.isAlphabetic {
        index = end + 1
        continue
      }
    }
    result.append(scalars[index])
    index += 1
  }
  return result
}

private func composed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  if scalars.allSatisfy({ $0.value < 0x300 }) { return scalars }
  var text = ""
  text.unicodeScalars.append(contentsOf: scalars)
  return Array(text.precomposedStringWithCanonicalMapping.unicodeScalars)
}

private func collapsingSpaces(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  var result: [Unicode.Scalar] = []
  result.reserveCapacity(scalars.count)
  for scalar in scalars {
    if !scalar.properties.isWhitespace {
      result.append(scalar)
    } else if result.last != " " && !result.isEmpty {
      result.append(" ")
    }
  }
  if result.last == " " { result.removeLast() }
  return result
}

/// Unicode's full lower-case mapping, with Σ at the end of a word as ς.
private func lowercased(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  scalars.indices.flatMap { index -> [Unicode.Scalar] in
    let scalar = scalars[index]
    if scalar.isASCII {
      return ["A"..."Z" ~= scalar ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar]
    }
    if scalar == "Σ" {
      let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
      let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
      let ends = before?.properties.isCased == true && after?.properties.isCased != true
      return [ends ? "ς" : "σ"]
    }
    return Array(scalar.properties.lowercaseMapping.unicodeScalars)
  }
}
