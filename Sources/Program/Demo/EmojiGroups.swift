import Foundation

/// The group of an emoji: the group labels of CLDR's `labels.txt`.
///
/// That file ends with Emoji 11 of 2018. Younger animals, plants and food are added here by code point,
/// because the demonstration's theme is made of them; other young emoji have no group.
package struct EmojiGroups: Sendable {
  /// A group that themes are made of, as CLDR spells it.
  package static let animalsAndNature = "Animals & Nature"
  /// A group that themes are made of, as CLDR spells it.
  package static let foodAndDrink = "Food & Drink"
  /// The groups of the demonstration's theme.
  package static let theme: Set<String> = [animalsAndNature, foodAndDrink]

  private var groups: [String: String] = [:]

  /// Reads `properties/labels.txt`.
  ///
  /// - Parameter folder: The folder `common` of CLDR.
  /// - Throws: `DemoError` when the file is missing.
  package init(folder: String = Annotations.debianFolder) throws(DemoError) {
    let path = folder + "/properties/labels.txt"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .missing(path: path, package: "unicode-cldr-core")
    }
    self.init(labels: String(decoding: data, as: UTF8.self))
  }

  /// Reads lines of the form `[🐀-🐈{🏴‍☠️}] ; group ; subgroup`; others are skipped.
  package init(labels: String) {
    for (range, group) in Self.additions {
      for scalar in range.compactMap(Unicode.Scalar.init) { groups[String(scalar)] = group }
    }
    for line in labels.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      let fields = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.count >= 2 else { continue }
      for emoji in Self.members(of: fields[0]) { groups[emoji] = fields[1] }
    }
  }

  /// The group of an emoji; a sequence that is not listed has the group of its first code point.
  package func group(_ emoji: String) -> String? {
    let normalized = Annotations.normalized(emoji)
    if let group = groups[normalized] { return group }
    return normalized.unicodeScalars.first.flatMap { groups[String($0)] }
  }

  /// Emoji 12 to 15.
  private static let additions: [(ClosedRange<UInt32>, String)] = [
    (0x1F9A3...0x1F9A9, animalsAndNature),  // mammoth to flamingo
    (0x1F9AA...0x1F9AA, foodAndDrink),  // oyster
    (0x1F9AB...0x1F9AE, animalsAndNature),  // beaver to guide dog
    (0x1F9C3...0x1F9CB, foodAndDrink),  // beverage box to bubble tea
    (0x1FAB0...0x1FABD, animalsAndNature),  // fly to wing
    (0x1FABF...0x1FABF, animalsAndNature),  // goose
    (0x1FACE...0x1FACF, animalsAndNature),  // moose, donkey
    (0x1FAD0...0x1FADB, foodAndDrink),  // blueberries to pea pod
  ]

  /// The members of a set in the notation of UnicodeSet: characters, ranges and `{strings}`.
  private static func members(of set: String) -> [String] {
    var members: [String] = []
    var scalars = set.unicodeScalars[...]
    var last: UInt32?
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "[", "]", " ", Annotations.emojiSelector: break
      case "{":
        let end = scalars.firstIndex(of: "}") ?? scalars.endIndex
        members.append(Annotations.normalized(String(scalars[..<end])))
        scalars = scalars[end...].dropFirst()
      case "-":
        guard let first = last, let end = scalars.popFirst()?.value, first < end,
          end - first < 0x1000
        else { continue }
        members += (first + 1...end).compactMap(Unicode.Scalar.init).map { String($0) }
        last = nil
      default:
        members.append(String(scalar))
        last = scalar.value
      }
    }
    return members
  }
}
