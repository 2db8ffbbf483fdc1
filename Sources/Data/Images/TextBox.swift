/// How text is set: size, strength and the fonts.
package struct TextStyle: Sendable {
  /// The em in points.
  package let size: Double
  /// The strength of letters.
  package let weight: FontWeight

  private let fonts: FontBook

  /// A style from the fonts that draw it.
  package init(size: Double, weight: FontWeight = .regular, fonts: FontBook) {
    self.size = size
    self.weight = weight
    self.fonts = fonts
  }

  /// The distance between baselines, in points.
  package var lineHeight: Double { size * 1.36 }

  /// The height of capital letters, in points; half of it centres a line of text.
  package var capitalHeight: Double { size * 0.71 }

  /// The width of one line of text, in points.
  package func width(of text: String) -> Double { shape(text).width }

  func shape(_ text: String) -> ShapedText {
    ShapedText(text, size: size, weight: weight, fonts: fonts)
  }

  /// Breaks text into lines no wider than `width`, at spaces and between Japanese characters; what
  /// does not fit into `maximumLines` ends in an ellipsis.
  package func wrap(_ text: String, width: Double, maximumLines: Int = .max) -> [String] {
    precondition(maximumLines > 0, "text needs at least one line, not \(maximumLines)")
    var lines: [String] = []
    var line = ""
    var units = breakUnits(text)[...]
    while let unit = units.first {
      if self.width(of: trimmed(line + unit)) <= width {
        line += unit
        units = units.dropFirst()
      } else if line.isEmpty {
        // One word wider than the box: as many characters as fit, at least one.
        let fitting = max(1, fittingCount(of: unit, width: width))
        line = String(unit.prefix(fitting))
        units = [String(unit.dropFirst(fitting))] + units.dropFirst()
      } else {
        if lines.count + 1 == maximumLines { break }
        lines.append(trimmed(line))
        line = ""
      }
    }
    let last = trimmed(line)
    if units.isEmpty {
      return last.isEmpty ? lines : lines + [last]
    }
    return lines + [shorten(last + "…", width: width)]
  }

  /// The text itself, or as much of its beginning as fits with an ellipsis.
  package func shorten(_ text: String, width: Double) -> String {
    if self.width(of: text) <= width { return text }
    let body = text.hasSuffix("…") ? String(text.dropLast()) : text
    var low = 0
    var high = body.count
    while low < high {
      let middle = (low + high + 1) / 2
      let candidate = trimmed(String(body.prefix(middle))) + "…"
      if self.width(of: candidate) <= width { low = middle } else { high = middle - 1 }
    }
    return trimmed(String(body.prefix(low))) + "…"
  }

  private func fittingCount(of word: String, width: Double) -> Int {
    var count = 0
    while count < word.count, self.width(of: String(word.prefix(count + 1))) <= width { count += 1 }
    return count
  }

  private func trimmed(_ line: String) -> String {
    var line = line
    while line.last?.isWhitespace == true { line.removeLast() }
    return line
  }
}

/// The pieces between which a line may break: words with the space behind them, and single Japanese
/// characters, with closing marks bound to what precedes and opening marks to what follows.
private func breakUnits(_ text: String) -> [String] {
  var units: [String] = []
  var previous: Character?
  for character in text.prefix(longestCaption) {
    if let previous, !mayBreak(between: previous, and: character) {
      units[units.count - 1].append(character)
    } else {
      units.append(String(character))
    }
    previous = character
  }
  return units
}

private func mayBreak(between previous: Character, and next: Character) -> Bool {
  if next.isWhitespace { return false }
  if previous.isWhitespace { return true }
  if closingMarks.contains(next) || openingMarks.contains(previous) { return false }
  return previous == "-" || isJapanese(previous) || isJapanese(next)
}

/// More than any caption that is drawn; the rest could only be cut off.
private let longestCaption = 2000
private let closingMarks: Set<Character> = Set("、。，．・：；？！ー」』）】〉》…ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
private let openingMarks: Set<Character> = Set("「『（【〈《")

private func isJapanese(_ character: Character) -> Bool {
  guard let value = character.unicodeScalars.first?.value else { return false }
  return (0x3000...0x30ff).contains(value) || (0x3400...0x9fff).contains(value)
    || (0xf900...0xfaff).contains(value) || (0xff00...0xffef).contains(value)
    || (0x20000...0x3ffff).contains(value)
}
