/// One picture of the demonstration with its names.
package struct Emoji: Sendable {
  /// The code points, without U+FE0F.
  package let text: String
  /// The English name and keywords.
  package let english: Annotation
  /// The Japanese name and keywords.
  package let japanese: Annotation
  /// Its group, where CLDR has one.
  package let group: String?
  /// The picture as the font keeps it: a PNG file with transparency.
  package let png: [UInt8]

  /// Makes an emoji of its parts.
  package init(
    text: String,
    english: Annotation,
    japanese: Annotation,
    group: String?,
    png: [UInt8]
  ) {
    self.text = text
    self.english = english
    self.japanese = japanese
    self.group = group
    self.png = png
  }

  /// The code points in hexadecimal with hyphens between: `1f469-200d-1f692`.
  package var name: String {
    text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: "-")
  }

  /// The picture's names, best first, the languages in turn.
  ///
  /// The names, then the names with their keywords: "fire engine", "消防車", "fire engine, engine,
  /// fire, truck", "消防車 車 消防".
  package var captions: [String] {
    var captions = [english.name, japanese.name]
    if !english.keywords.isEmpty {
      captions.append(([english.name] + english.keywords).joined(separator: ", "))
    }
    if !japanese.keywords.isEmpty {
      captions.append(([japanese.name] + japanese.keywords).joined(separator: " "))
    }
    return captions
  }
}
