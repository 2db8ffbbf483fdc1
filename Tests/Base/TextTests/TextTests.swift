import Testing

@testable import Text

@Suite("Text")
struct TextTests {
  @Test(
    arguments: [
      ("trian", "train"), ("generat", "generate"), ("metrcis", "metrics"), ("PACK", nil),
      ("x", nil), ("", nil), ("laoin", "laion"), ("dataset", "dataset"),
    ] as [(String, String?)]
  )
  func `a mistyped word finds the nearest`(word: String, expected: String?) {
    let verbs = ["laion", "pack", "train", "metrics", "generate", "dataset"]
    #expect(nearest(word, in: verbs) == expected)
  }

  @Test(arguments: [
    ("", "", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abd", 1), ("ab", "ba", 1),
    ("kitten", "sitting", 3), ("ab", "abc", 1),
  ])
  func `the distance of words`(a: String, b: String, expected: Int) {
    #expect(editDistance(a, b) == expected)
    #expect(editDistance(b, a) == expected)
  }

  @Test(
    arguments: [
      (0, "– images/s"), (-1, "– images/s"), (.nan, "– images/s"), (.infinity, "– images/s"),
      (115, "115 images/s"), (12.34, "12.3 images/s"), (0.52, "0.52 images/s"),
      (0.025, "1.50 images/min"), (0.001, "3.60 images/h"),
    ] as [(Double, String)]
  )
  func `a rate is never printed as 0.00`(perSecond: Double, expected: String) {
    #expect(Text.rate(perSecond, "images") == expected)
  }

  @Test(
    arguments: [
      (1, "image", nil, "1 image"), (0, "image", nil, "0 images"), (2, "image", nil, "2 images"),
      (1, "file is", "files are", "1 file is"), (21, "file is", "files are", "21 files are"),
    ] as [(Int, String, String?, String)]
  )
  func `singular and plural are told apart`(
    number: Int,
    one: String,
    many: String?,
    expected: String
  ) {
    #expect(Text.count(number, one, many) == expected)
  }

  @Test(
    arguments: [
      (0, "0"), (-5, "-5"), (0.25, "0.25"), (1e6, "1e06"), (-0x1p63, "-9.22337203685478e18"),
      (0x1p63, "9.22337203685478e18"), (.infinity, "inf"),
    ] as [(Double, String)]
  )
  func `a number looks as it is typed, the least whole number too`(
    value: Double,
    expected: String
  ) {
    #expect(Text.typed(value) == expected)
  }

  @Test(arguments: [
    (0, 4, 10, "0000"), (42, 4, 10, "0042"), (123_456, 4, 10, "123456"), (255, 4, 16, "00ff"),
    (8, 3, 8, "010"),
  ])
  func `leading zeros fill a number up`(number: Int, digits: Int, radix: Int, expected: String) {
    #expect(zeroPadded(number, to: digits, radix: radix) == expected)
  }

  @Test(arguments: [
    ("a.zip", ["a.zip"]), ("s{0..2}.zip", ["s0.zip", "s1.zip", "s2.zip"]),
    ("{a,b}{1..2}", ["a1", "a2", "b1", "b2"]), ("{2..0}", ["2", "1", "0"]), ("{x}", ["{x}"]),
    ("{1..", ["{1.."]), ("{a,}", ["a", ""]),
    ("{9223372036854775806..9223372036854775807..2}", ["9223372036854775806"]),
    ("{-9223372036854775807..-9223372036854775808..5}", ["-9223372036854775807"]),
  ])
  func `brace patterns become what a shell makes of them`(pattern: String, expected: [String]) {
    #expect(expandedBraces(pattern) == expected)
  }

  @Test func `both ways of resolving entities share one table, and keep their rules`() {
    #expect(HTMLEntities.resolved("&alpha;&hearts;&#x1F602;&#150;") == "α♥😂–")
    #expect(HTMLEntities.resolved("&amp;lt; &unknown; &eacute &") == "&lt; &unknown; &eacute &")
    func python(_ text: String) -> String {
      String(String.UnicodeScalarView(htmlUnescaped(Array(text.unicodeScalars))))
    }
    #expect(python("&alpha;&eacute &#150;") == "αé –")
    #expect(python("&alpha &unknown;") == "&alpha &unknown;")
  }

  @Test(arguments: [
    (0.5, "0.5"), (-2, "-2"), (1e12, "1e12"), (0.1 + 0.2, "0.3"), (123_456_789, "123456789"),
    (.nan, "nan"), (.infinity, "inf"), (-0.0002, "-0.0002"),
  ])
  func `numbers are written as people write them`(number: Double, text: String) {
    #expect(Text.typed(number) == text)
  }

  @Test func `a range says what it allows, in its unit`() {
    #expect(OptionRange.between(1, 8, "threads").text == "between 1 and 8 threads")
    #expect(
      OptionRange.above(0, atMost: 3600, "seconds").text == "above 0 and at most 3600 seconds"
    )
    #expect(
      OptionRange.atLeast(0).text == "0 or more" && OptionRange.atLeast(2).text == "at least 2"
    )
    let complaint = OptionRange.between(0, 1).complaint("--p", "1.5")
    #expect(complaint == "--p must be between 0 and 1, not 1.5")
  }

  @Test(arguments: [OptionRange.between(1, 8), .above(0, atMost: 1), .atLeast(0), .factor])
  func `a range holds its limits and nothing beyond, NaN neither`(range: OptionRange) {
    for value in range.limits.allowed { #expect(range.contains(value), "\(value)") }
    for value in range.limits.refused { #expect(!range.contains(value), "\(value)") }
    #expect(!range.contains(.nan))
  }

  @Test(arguments: [
    (0.0, "0 B"), (512, "512 B"), (1000, "1.00 kB"), (999.4, "999 B"), (329_000_000, "329 MB"),
    (205_954_000_000, "206 GB"), (9.54e9, "9.54 GB"), (999_600, "1.00 MB"), (5e18, "5000 PB"),
  ])
  func `sizes have three digits and a decimal unit`(count: Double, expected: String) {
    #expect(Text.bytes(count) == expected)
  }
}
