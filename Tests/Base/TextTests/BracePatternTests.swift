import Testing

@testable import Text

@Suite("Brace patterns")
struct BracePatternTests {
  @Test(
    arguments: [
      ("s{0..9}", (0...9).map { "s\($0)" }), ("{08..11}", ["08", "09", "10", "11"]),
      ("{1..003}", ["001", "002", "003"]), ("{-1..1}", ["-1", "0", "1"]),
      ("{-01..1}", ["-01", "000", "001"]), ("{0..6..3}", ["0", "3", "6"]),
      ("{6..1..-2}", ["6", "4", "2"]), ("{1..3..0}", ["1", "2", "3"]), ("{7..7}", ["7"]),
      ("{a..d}", ["a", "b", "c", "d"]), ("{c..a}", ["c", "b", "a"]), ("{00..0}", ["00"]),
    ] as [(String, [String])]
  )
  func `a range counts as in a shell, with its zeros, its step and its letters`(
    pattern: String,
    expected: [String]
  ) {
    #expect(expandedBraces(pattern) == expected)
  }

  @Test(
    arguments: [
      ("{a,b{1..2}}x", ["ax", "b1x", "b2x"]), ("{{a,b},c}", ["a", "b", "c"]),
      ("{a{1..2},b}{x,y}", ["a1x", "a1y", "a2x", "a2y", "bx", "by"]),
      ("{x}{1..2}", ["{x}1", "{x}2"]), ("{x{1..2}}", ["{x1}", "{x2}"]),
      ("{a{b,c}", ["{ab", "{ac"]), ("{a,b}}", ["a}", "b}"]), ("{,a}", ["", "a"]),
      ("ä{ö,ü}/ß", ["äö/ß", "äü/ß"]),
    ] as [(String, [String])]
  )
  func `braces within braces, and beside braces that are none`(
    pattern: String,
    expected: [String]
  ) {
    #expect(expandedBraces(pattern) == expected)
  }

  @Test(arguments: [
    "{1..}", "{..2}", "{1..2..}", "{1..2..3..4}", "{a..3}", "{ab..c}", "{1.5..2}", "{1...3}", "{",
    "}", "{}", "}{", "{x}", "a,b", "", "{ä..ö}", "{1..2..x}",
  ])
  func `text without a pattern stays unchanged`(pattern: String) {
    #expect(expandedBraces(pattern) == [pattern])
  }

  @Test(arguments: [
    "{0..9999999999}", "{0..9223372036854775807}", "{-9223372036854775808..9223372036854775807}",
    "{0..99999}{0..99999}", String(repeating: "{a,b}", count: 64), "{{0..99999},{0..99999}}",
    "{0..9999999999}{a,b}", "{0..99999}" + String(repeating: "x", count: 100_000),
    String(repeating: "{1..1}", count: 20_000) + "{0..99999}",
  ])
  func `a pattern of more names than anyone has files stays as it is`(pattern: String) {
    #expect(expandedBraces(pattern) == [pattern])
  }

  @Test func `a hundred thousand names are not too many, one more is`() {
    #expect(expandedBraces("{1..100000}").count == 100_000)
    #expect(expandedBraces("{0..100000}").count == 1)
    #expect(expandedBraces("{1..100}{1..1000}").count == 100_000)
  }

  @Test(arguments: ["{", "{a,", "{{a,b},", "}", ",", "{}", "{1..1}"])
  func `a long row of braces takes neither the stack nor hours`(piece: String) {
    let pattern = String(repeating: piece, count: 50_000)
    let clock = ContinuousClock()
    let time = clock.measure { #expect(!expandedBraces(pattern).isEmpty) }
    #expect(time < .seconds(60))
  }
}
