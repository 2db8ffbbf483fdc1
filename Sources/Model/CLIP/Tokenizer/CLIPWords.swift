/// A piece of a cleaned caption that is encoded on its own.
enum CLIPWord: Equatable {
  case startOfText
  case endOfText
  case text(Range<Int>)
}

/// Splits a cleaned caption as CLIP's pattern does, in one pass.
///
/// At each position the first of these that fits is taken: a start or end mark written out, one of
/// 's 't 're 've 'm 'll 'd, a run of letters, a single number character, a run of anything else but
/// spaces. Spaces separate.
func forEachWord(in scalars: [Unicode.Scalar], _ body: (CLIPWord) -> Void) {
  var start = 0
  while start < scalars.count {
    if let (mark, length) = textMark(scalars, at: start) {
      body(mark)
      start += length
      continue
    }
    var end = start + 1
    if let length = contraction(scalars, at: start) {
      end = start + length
    } else {
      let kind = ScalarKind(scalars[start])
      if kind == .space {
        start += 1
        continue
      }
      if kind != .number {
        while end < scalars.count, ScalarKind(scalars[end]) == kind { end += 1 }
      }
    }
    body(.text(start..<end))
    start = end
  }
}

private enum ScalarKind {
  case letter, number, space, other

  init(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "a"..."z", "A"..."Z": self = .letter
    case "0"..."9": self = .number
    default:
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.properties.isWhitespace ? .space : .other
      }
    }
  }
}

private let textMarks: [(scalars: [Unicode.Scalar], word: CLIPWord)] = [
  (Array("<|startoftext|>".unicodeScalars), .startOfText),
  (Array("<|endoftext|>".unicodeScalars), .endOfText),
]

private let contractions: [[Unicode.Scalar]] = ["s", "t", "re", "ve", "m", "ll", "d"]
  .map { Array($0.unicodeScalars) }

private func textMark(_ scalars: [Unicode.Scalar], at start: Int) -> (CLIPWord, Int)? {
  if scalars[start] != "<" { return nil }
  let mark = textMarks.first { scalars[start...].starts(with: $0.scalars) }
  return mark.map { ($0.word, $0.scalars.count) }
}

private func contraction(_ scalars: [Unicode.Scalar], at start: Int) -> Int? {
  if scalars[start] != "'" { return nil }
  let found = contractions.first { scalars[(start + 1)...].starts(with: $0) }
  return found.map { $0.count + 1 }
}
