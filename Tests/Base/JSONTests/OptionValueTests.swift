import Testing

@testable import JSON

@Suite("Settings as JSON")
struct OptionValueTests {
  @Test func `values, order and types round-trip`() throws {
    let value: OptionValue = [
      "b": 1, "a": 1.0, "none": .null, "yes": true, "text": "é \"x\" \\ \n\u{1}消",
      "tuple": .tuple([0, 0.99, []]), "list": [[:], ["deep": [1, 2, 3]]],
      "tiny": 1e-8, "huge": 1e300, "infinite": .double(-.infinity), "least": .int(.min),
    ]
    #expect(OptionValue(json: value.json) == value)
    #expect(OptionValue(json: value.prettyJSON) == value)
    #expect(value.json.hasPrefix("{\"b\": 1, \"a\": 1.0, \"none\": null"))
    guard case .double(let number)? = OptionValue(json: "NaN") else {
      Issue.record("NaN is no number")
      return
    }
    #expect(number.isNaN)
  }

  private static let spellings: [(String, OptionValue)] = [
    ("\"\\u00e9\\ud83d\\ude92\"", "é🚒"), ("[1e2]", [100.0]), (" -7 ", -7),
    ("{\"a\":{\"__tuple__\":[1]}}", ["a": .tuple([1])]), ("\u{FEFF}[1]", [1]),
  ]

  @Test(arguments: spellings)
  func `alternative spellings are parsed`(text: String, value: OptionValue) {
    #expect(OptionValue(json: text) == value)
  }

  @Test(arguments: [
    "", "{", "[1", "\"a", "1 2", "nul", "{\"a\" 1}", "[1,]", "\"\\ud83d\"", "\"\\ud83d \\ude92\"",
    "0x1F", "inf", "\"\u{1}\"", String(repeating: "[", count: 100_000),
  ])
  func `invalid JSON is refused`(text: String) { #expect(OptionValue(json: text) == nil) }
}
