import Demo
import Images
import Testing

@Suite struct EmojiCollectionTests {
  @Test func `captions are names first, then names with keywords, in turn`() {
    var emoji = Emoji(
      text: "🚒",
      english: Annotation(name: "fire engine", keywords: ["engine", "truck"]),
      japanese: Annotation(name: "消防車", keywords: ["車", "消防"]),
      group: nil,
      png: []
    )
    #expect(
      emoji.captions == ["fire engine", "消防車", "fire engine, engine, truck", "消防車 車 消防"]
    )
    #expect(emoji.name == "1f692")
    emoji = Emoji(
      text: "👩‍🚒",
      english: Annotation(name: "a", keywords: []),
      japanese: Annotation(name: "b", keywords: []),
      group: nil,
      png: []
    )
    #expect(emoji.captions == ["a", "b"])
    #expect(emoji.name == "1f469-200d-1f692")
  }

  @Test func `emoji with a picture and both names are joined, once each`() throws {
    func names(_ emoji: [String]) throws -> Annotations {
      let rows = emoji.map { "<annotation cp='\($0)' type='tts'>name of \($0)</annotation>" }
      return try Annotations(xml: "<l>\(rows.joined())</l>")
    }
    // AB and 😀 are the same glyph; 😁 has no Japanese name; A has no picture.
    let collection = try EmojiCollection(
      font: ColorEmojiFont(bytes: TinyFont().bytes),
      english: names(["😀", "😁", "A", "AB", "😀\u{200D}😁"]),
      japanese: names(["😀", "A", "AB", "😀\u{200D}😁"]),
      groups: EmojiGroups(labels: "[😀] ; faces")
    )
    #expect(collection.emoji.map(\.text) == ["AB", "😀\u{200D}😁"])
    #expect(collection.emoji.map(\.group) == [nil, "faces"])
  }

  @Test(.enabled(if: Installed.both, "the emoji packages are not installed"))
  func `the installed packages give more than 1300 distinct pictures`() throws {
    let collection = try EmojiCollection.installed()
    #expect(collection.emoji.count >= 1300)
    #expect(Set(collection.emoji.map(\.png)).count == collection.emoji.count)
    #expect(Set(collection.emoji.map(\.name)).count == collection.emoji.count)
    let engine = try #require(collection.emoji.first { $0.text == "🚒" })
    #expect(engine.captions.prefix(2) == ["fire engine", "消防車"])
    let image = try DemoPicture(engine).image()
    #expect((image.width, image.height) == (136, 128))
    // The corner is transparent in the font and white here; the middle is red.
    #expect(image[x: 0, y: 0] == .white)
    let theme = collection.emoji.filter {
      [EmojiGroups.animalsAndNature, EmojiGroups.foodAndDrink].contains($0.group)
    }
    #expect((200...400).contains(theme.count))
    #expect(!collection.emoji.contains { $0.english.name.contains("skin tone") })
    #expect(!collection.emoji.contains { $0.english.name.hasPrefix("flag: ") })
  }

  @Test(.enabled(if: Installed.both, "the emoji packages are not installed"))
  func `skin tones and flags come on demand`() throws {
    var options = EmojiCollection.Options()
    options.includesSkinTones = true
    options.includesCountryFlags = true
    let collection = try EmojiCollection.installed(options: options)
    #expect(collection.emoji.count > 3000)
    #expect(collection.emoji.contains { $0.english.name == "flag: Japan" })
    #expect(collection.emoji.contains { $0.english.name == "thumbs up: medium skin tone" })
  }
}
