import Demo
import Testing

@Suite struct AnnotationsTests {
  @Test func `reads names and keywords`() throws {
    let annotations = try Annotations(
      xml: """
        <?xml version="1.0" encoding="UTF-8" ?>
        <ldml><annotations>
          <annotation cp="🚒">engine | fire |  fire engine | truck</annotation>
          <annotation cp="🚒" type="tts">fire engine</annotation>
          <annotation cp="☎️" type="tts">telephone &amp; bell</annotation>
          <annotation cp="🧯">keywords only</annotation>
          <annotation cp="" type="tts">nothing</annotation>
          <annotation cp="🧨" type="tts"> </annotation>
        </annotations></ldml>
        """
    )
    #expect(annotations.byEmoji.count == 2)
    let engine = Annotation(name: "fire engine", keywords: ["engine", "fire", "truck"])
    #expect(annotations.byEmoji["🚒"] == engine)
    // U+FE0F does not matter.
    #expect(annotations.byEmoji["\u{260E}"]?.name == "telephone & bell")
  }

  @Test func `a sequence that is not listed is named by its parts`() throws {
    let names = try Annotations(
      xml: """
        <l><annotation cp='🤼' type='tts'>wrestlers</annotation>
        <annotation cp='🤼'>combat | wrestlers</annotation>
        <annotation cp='🏻' type='tts'>light skin tone</annotation>
        <annotation cp='🏿' type='tts'>dark skin tone</annotation>
        <annotation cp='➡' type='tts'>right arrow</annotation>
        <annotation cp='🚶' type='tts'>person walking</annotation></l>
        """
    )
    #expect(
      names["🤼\u{1F3FB}\u{1F3FF}"]
        == Annotation(
          name: "wrestlers: light skin tone, dark skin tone",
          keywords: ["combat"]
        )
    )
    #expect(names["🚶\u{200D}➡"]?.name == "person walking: right arrow")
    #expect(names["🚶"]?.name == "person walking")
    #expect(names["🚀\u{1F3FB}"] == nil && names["🚀"] == nil)
  }

  @Test func `broken XML is named with its line`() {
    #expect {
      try Annotations(xml: "<ldml>\n<annotation cp='x'>\n</ldml>")
    } throws: { error in
      "\(error)".contains("line 3")
    }
  }

  @Test func `entities that multiply are refused`() {
    var entities = "<!ENTITY a0 \"aaaaaaaaaa\">"
    for level in 1...12 {
      let reference = "&a\(level - 1);"
      entities += "<!ENTITY a\(level) \"\(String(repeating: reference, count: 10))\">"
    }
    let xml =
      "<!DOCTYPE l [\(entities)]><l><annotation cp='x' type='tts'>&a12;</annotation></l>"
    let annotations = try? Annotations(xml: xml)
    #expect((annotations?.byEmoji["x"]?.name.utf8.count ?? 0) < 1 << 20)
  }

  @Test func `missing names say what to install`() {
    #expect {
      try Annotations(language: "en", folder: "/nowhere")
    } throws: { error in
      "\(error)".contains("apt-get install unicode-cldr-core")
    }
  }

  @Test(.enabled(if: Installed.names, "unicode-cldr-core is not installed"))
  func `reads two languages of the installed CLDR`() throws {
    let english = try Annotations(language: "en")
    let japanese = try Annotations(language: "ja")
    #expect(english.byEmoji["🚒"]?.name == "fire engine")
    #expect(japanese.byEmoji["🚒"]?.name == "消防車")
    #expect(english.byEmoji["🇯🇵"]?.name == "flag: Japan")
    // Later releases of CLDR have more words.
    let blackCat = english.byEmoji["\u{1F408}\u{200D}\u{2B1B}"]?.keywords ?? []
    #expect(Set(blackCat).isSuperset(of: ["black", "cat", "unlucky"]), "\(blackCat)")
    #expect(english.byEmoji.count > 3500)
  }

  @Test func `labels give groups to characters, ranges and sequences`() {
    let groups = EmojiGroups(
      labels: """
        # comment [🚒] ; wrong
        [🐀-🐂🦁]   ; Animals ; mammal
        [{#️⃣}{🏴‍☠️}⏏️] ; Symbols ; other
        [broken
        """
    )
    #expect(["🐀", "🐁", "🐂", "🦁"].map { groups.group($0) } == .init(repeating: "Animals", count: 4))
    #expect(groups.group("🐃") == nil)
    #expect(groups.group("#⃣") == "Symbols")
    #expect(groups.group("🏴‍☠") == "Symbols")
    #expect(groups.group("⏏") == "Symbols")
    // A sequence that is not listed belongs where its first code point does.
    #expect(groups.group("🐁‍⬛") == "Animals")
    // Younger than the file.
    #expect(groups.group("🫐") == EmojiGroups.foodAndDrink)
    #expect(groups.group("🚒") == nil)
  }
}
