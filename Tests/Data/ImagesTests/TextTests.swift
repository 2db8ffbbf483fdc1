import Images
import Testing

@Suite struct TextTests {
  private func style(_ size: Double, _ weight: FontWeight = .regular) throws -> TextStyle {
    let fonts = try FontBook.system(drawing: ["Latin 日本語"])
    return TextStyle(size: size, weight: weight, fonts: fonts)
  }

  @Test func `width grows with size and letters, and kerning narrows`() throws {
    let small = try style(10)
    let large = try style(20)
    #expect(small.width(of: "") == 0)
    #expect(abs(large.width(of: "fire engine") - 2 * small.width(of: "fire engine")) < 1e-9)
    #expect(large.width(of: "AV") < large.width(of: "A") + large.width(of: "V"))
    // A kanji fills its em.
    #expect(abs(large.width(of: "消防車") - 60) < 0.5)
  }

  @Test(arguments: ["fire engine", "消防車", "Größe naïve"])
  func `text leaves ink between its baseline and its capitals`(text: String) throws {
    let style = try style(20)
    var canvas = try Canvas(width: 200, height: 60, scale: 1)
    canvas.text(text, at: Point(10, 40), style, .black)
    let box = try #require(inkBox(canvas.image))
    #expect(box.left >= 9 && box.right <= Int(11 + style.width(of: text)))
    #expect(box.right > Int(style.width(of: text)) && box.bottom >= 38 && box.bottom <= 46)
    #expect(box.top >= 40 - 22 && box.top <= 40 - 10)
  }

  @Test func `anchors move the text`() throws {
    let style = try style(16)
    let width = style.width(of: "mean")
    let cases = [(TextAnchor.start, 100.0), (.middle, 100 - width / 2), (.end, 100 - width)]
    for (anchor, left) in cases {
      var canvas = try Canvas(width: 200, height: 40, scale: 1)
      canvas.text("mean", at: Point(100, 30), style, .black, anchor: anchor)
      let box = try #require(inkBox(canvas.image))
      #expect(abs(Double(box.left) - left) < 3)
    }
  }

  @Test func `bold has more ink, also in Japanese`() throws {
    for text in ["engine", "消防車"] {
      let inks = try [FontWeight.regular, .bold].map { weight in
        var canvas = try Canvas(width: 120, height: 40, scale: 2)
        canvas.text(text, at: Point(5, 30), try style(20, weight), .black)
        return canvas.image.pixels.reduce(0) { $0 + 255 - Int($1) }
      }
      #expect(Double(inks[1]) > 1.1 * Double(inks[0]))
    }
  }

  @Test func `lines break at spaces and between Japanese characters`() throws {
    let style = try style(10)
    let english = style.wrap("a red bus parked on the street", width: 60)
    #expect(english.count > 1 && english.joined(separator: " ") == "a red bus parked on the street")
    for line in english { #expect(style.width(of: line) <= 60) }

    let japanese = style.wrap("富士山の前を走る新幹線。とても美しい。", width: 50)
    #expect(japanese.joined() == "富士山の前を走る新幹線。とても美しい。")
    #expect(japanese.count >= 4)
    for line in japanese {
      #expect(style.width(of: line) <= 50)
      #expect(line.first != "。" && line.first != "っ")
    }
  }

  @Test func `what does not fit ends in an ellipsis`() throws {
    let style = try style(10)
    let lines = style.wrap("one two three four five six seven", width: 40, maximumLines: 2)
    #expect(lines.count == 2 && lines[1].hasSuffix("…"))
    for line in lines { #expect(style.width(of: line) <= 40) }
    #expect(style.shorten("short", width: 100) == "short")
    #expect(style.wrap("", width: 40) == [])
    #expect(style.wrap("  ", width: 40) == [])
  }

  @Test func `a word wider than the box is cut into lines`() throws {
    let style = try style(10)
    let word = String(repeating: "w", count: 40)
    let lines = style.wrap(word, width: 50)
    #expect(lines.joined() == word)
    for line in lines { #expect(style.width(of: line) <= 50) }
    #expect(style.wrap("word", width: 0.1) == ["w", "o", "r", "d"])
  }

  @Test func `hostile text is drawn without harm`() throws {
    let style = try style(12)
    var canvas = try Canvas(width: 100, height: 30, scale: 1)
    let texts = [
      "\0\u{1}\u{202e}\u{feff}", "e" + String(repeating: "\u{301}", count: 300), "👩‍👩‍👧‍👦🏳️‍🌈",
      "\u{10ffff}\u{e000}", String(repeating: "x", count: 100_000),
    ]
    for text in texts {
      #expect(style.wrap(text, width: 80, maximumLines: 2).count <= 2)
      canvas.text(String(text.prefix(300)), at: Point(5, 20), style, .black)
    }
    #expect(inkBox(canvas.image) != nil)
  }

  @Test func `a missing font is an error with the package to install`() {
    let error = ImageError.fontMissing(character: "消", package: "fonts-vlgothic")
    #expect(
      "\(error)"
        == "no installed font draws “消”; install one with: apt-get install fonts-vlgothic"
    )
  }

  private func inkBox(_ image: RGBImage) -> (left: Int, right: Int, top: Int, bottom: Int)? {
    var box: (left: Int, right: Int, top: Int, bottom: Int)?
    for y in 0..<image.height {
      for x in 0..<image.width where image[x: x, y: y].red < 200 {
        let old = box ?? (x, x, y, y)
        box = (min(old.left, x), max(old.right, x), min(old.top, y), max(old.bottom, y))
      }
    }
    return box
  }
}
