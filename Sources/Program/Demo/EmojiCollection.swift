/// The pictures of an emoji font with their names in English and Japanese.
package struct EmojiCollection: Sendable {
  /// The emoji that are left out.
  package struct Options: Sendable {
    /// Whether the five skin tones of a person are pictures of their own.
    ///
    /// Off: they would make two thirds of the set, and near copies confuse training and retrieval.
    package var includesSkinTones = false
    /// Whether the flags of countries and subdivisions are in it.
    ///
    /// Off: their captions differ only in a proper name, which says nothing about the picture, so that
    /// a sixth of the set could only be learnt by heart.
    package var includesCountryFlags = false

    /// The defaults.
    package init() {}
  }

  /// The pictures in the order of their code points; no two have the same PNG file.
  package let emoji: [Emoji]

  /// Joins a font with names; what lacks a picture or a name in either language is left out.
  ///
  /// - Throws: `DemoError` when the font is damaged.
  package init(
    font: ColorEmojiFont,
    english: Annotations,
    japanese: Annotations,
    groups: EmojiGroups,
    options: Options = Options()
  ) throws(DemoError) {
    let order = english.byEmoji.keys.sorted {
      $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
    }
    var emoji: [Emoji] = []
    var seen: Set<[UInt8]> = []
    for text in order {
      guard let english = english.byEmoji[text], let japanese = japanese.byEmoji[text],
        options.allows(text), let png = try font.png(text), seen.insert(png).inserted
      else { continue }
      let group = groups.group(text)
      emoji.append(
        Emoji(text: text, english: english, japanese: japanese, group: group, png: png)
      )
    }
    self.emoji = emoji
  }

  /// The collection that Debian's packages make.
  package static func installed(
    options: Options = Options()
  ) throws(DemoError) -> EmojiCollection {
    try EmojiCollection(
      font: ColorEmojiFont(),
      english: Annotations(language: "en"),
      japanese: Annotations(language: "ja"),
      groups: EmojiGroups(),
      options: options
    )
  }
}

extension EmojiCollection.Options {
  fileprivate func allows(_ emoji: String) -> Bool {
    let scalars = emoji.unicodeScalars
    // The font also draws # and *, which are only parts of keycaps.
    if scalars.count == 1, scalars.allSatisfy(\.isASCII) { return false }
    let skinTones: ClosedRange<UInt32> = 0x1F3FB...0x1F3FF
    let regionalIndicators: ClosedRange<UInt32> = 0x1F1E6...0x1F1FF
    // Flags of subdivisions spell their name in tag characters.
    let tags: ClosedRange<UInt32> = 0xE0020...0xE007F
    if !includesSkinTones, scalars.contains(where: { skinTones.contains($0.value) }) {
      return false
    }
    if !includesCountryFlags {
      return !scalars.contains {
        regionalIndicators.contains($0.value) || tags.contains($0.value)
      }
    }
    return true
  }
}
