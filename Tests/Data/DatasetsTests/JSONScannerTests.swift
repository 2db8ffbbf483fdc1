import Foundation
import Testing

@testable import Datasets

@Suite struct JSONScannerTests {
  private func scan<Value>(
    _ text: String,
    _ body: (inout JSONScanner) throws -> Value
  ) throws -> Value {
    try Array(text.utf8).withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      let value = try body(&scanner)
      try scanner.end()
      return value
    }
  }

  @Test func `numbers are rounded as the C library rounds them`() throws {
    let texts = [
      "0", "-0.0", "1", "-1.5", "0.07998774945735931", "1e-05", "1.17549435e-38", "1e-45",
      "3.4028234e38",
      "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1E+2", "16777217",
      "0.012345678901234567890123", "9007199254740993", "1.00000005960464477539", "6.103515625e-05",
    ]
    let read = try scan("[\(texts.joined(separator: " ,"))]") { try $0.numbers(limit: 100) }
    #expect(read.map(\.bitPattern) == texts.map { Float(strtod($0, nil)).bitPattern })
  }

  @Test func `strings are decoded with their escapes`() throws {
    #expect(try scan(#" "a\"\\\/\b\f\n\r\té" "#) { try $0.string() } == "a\"\\/\u{8}\u{c}\n\r\té")
    #expect(try scan(#""\u732b \ud83d\ude3a""#) { try $0.string() } == "猫 😺")
  }

  @Test func `any value can be skipped`() throws {
    let text = #"{"a": [1, {"b": null, "c": [true, false, -1e3, "x]}"]}], "d": {}, "e": []}"#
    try scan(text) { try $0.skipValue() }
  }

  @Test(arguments: [
    "", "[", "]", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{1:2}", "[01x]", "[-]", "[1.]",
    "[.5]",
    "[1e]", "nul", "\"abc", "\"\\u12\"", "\"\\ud83d\"", "\"\\x\"", "\"\u{1}\"", "[1] 2", "NaN",
    "Infinity", "[1e999]", "01", "-01", "[00]", "1e18446744073709551617", "1e9223372036854775808",
  ])
  func `broken JSON is refused`(text: String) {
    #expect(throws: JSONScanner.Damage.self) { try scan(text) { try $0.skipValue() } }
  }

  @Test func `deep nesting ends in an error, not in a crash`() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONScanner.Damage.self) { try scan(text) { try $0.skipValue() } }
  }

  @Test func `numbers of a list follow the same grammar`() {
    for text in ["[01.5]", "[-00.25]", "[1e18446744073709551617]"] {
      #expect(throws: JSONScanner.Damage.self) { try scan(text) { try $0.numbers(limit: 9) } }
    }
  }

  @Test func `exponents of any length are parsed`() throws {
    #expect(try scan("1e0000000000000000000000001") { try $0.double() } == 10)
    #expect(try scan("1e-18446744073709551617") { try $0.double() } == 0)
    #expect(try scan("0e99999999999999999999999") { try $0.double() } == 0)
  }

  @Test func `a kept string has a limit, a skipped one has none`() throws {
    let long = String(repeating: "x", count: JSONScanner.maximumLength + 1)
    let error = #expect(throws: JSONScanner.Damage.self) {
      try scan("\"\(long)\"") { try $0.string() }
    }
    #expect(error?.reason.hasPrefix("a string of more than 1048576 bytes") == true)
    try scan(#"["\#(long)", {"\#(long)": "\n\#(long)"}]"#) { try $0.skipValue() }
    let fits = String(long.dropLast())
    #expect(try scan("\"\(fits)\"") { try $0.string() } == fits)
  }

  @Test func `strings that are not UTF-8 are repaired and counted`() throws {
    let text: [UInt8] = Array("[\"a\", \"b".utf8) + [0xff] + Array("\"]".utf8)
    try text.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var found: [String] = []
      try scanner.array({ found.append(try $0.string()) }, damage: { $0 })
      #expect(found == ["a", "b\u{FFFD}"] && scanner.repairedCount == 1)
    }
  }

  @Test func `a list longer than its limit is refused`() {
    #expect(throws: JSONScanner.Damage.self) { try scan("[1,2,3]") { try $0.numbers(limit: 2) } }
  }

  @Test func `simdjson reads what is a list of numbers, and only that`() {
    let lists = NumberLists()
    /// With other text behind it, and at the end of what may be read.
    func read(_ text: String, then rest: String) -> (values: [Float], length: Int)? {
      Array((text + rest).utf8).withUnsafeBytes { lists.read($0[...], limit: 3) }
    }
    for rest in ["", ", \"x\"", String(repeating: ", [7", count: 50)] {
      #expect(read("[1, -2.5e3,0.125 ]", then: rest).map { $0 == ([1, -2500, 0.125], 18) } == true)
      #expect(read("[]", then: rest).map { $0 == ([], 2) } == true)
      for text in [
        "", "[", "1]", " [1]", "[1,]", "[1 2]", "[[1]]", "[\"1\"]", "[null]", "[01]", "[1.]",
        "[.5]",
        "[1e999]", "[1e39]", "[1,2,3,4]", "[1\u{0}]", "[-]", "[1x]", "[NaN]",
        // simdjson would read another number.
        "[0.012345678901234567890123]", "[-0.10000000000000000555112 ]",
      ] where rest.isEmpty || text != "" && text != "[" {
        #expect(read(text, then: rest) == nil, "\(text)")
      }
    }
  }

  @Test func `a list of over four megabytes is read without simdjson`() throws {
    let text = "[1," + String(repeating: " ", count: 4 << 20) + "2]"
    let isRead = Array(text.utf8).withUnsafeBytes { NumberLists().read($0[...], limit: 9) != nil }
    #expect(!isRead)
    #expect(try scan(text) { try $0.numbers(limit: 9) } == [1, 2])
  }
}
