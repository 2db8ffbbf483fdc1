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
      "9007199254740993", "1.00000005960464477539", "6.103515625e-05",
    ]
    let read = try scan("[\(texts.joined(separator: " ,"))]") { try $0.numbers(limit: 100) }
    #expect(read.map(\.bitPattern) == texts.map { Float(strtod($0, nil)).bitPattern })
  }

  @Test func `strings are decoded with their escapes`() throws {
    #expect(try scan(#" "a\"\\\/\b\f\n\r\té" "#) { try $0.string() } == "a\"\\/\u{8}\u{c}\n\r\té")
    #expect(try scan(#""\u732b \ud83d\ude3a""#) { try $0.string() } == "猫 😺")
  }

  @Test func `any value can be passed over`() throws {
    let text = #"{"a": [1, {"b": null, "c": [true, false, -1e3, "x]}"]}], "d": {}, "e": []}"#
    try scan(text) { try $0.skipValue() }
  }

  @Test(arguments: [
    "", "[", "]", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{1:2}", "[01x]", "[-]", "[1.]",
    "[.5]",
    "[1e]", "nul", "\"abc", "\"\\u12\"", "\"\\ud83d\"", "\"\\x\"", "\"\u{1}\"", "[1] 2", "NaN",
    "Infinity", "[1e999]",
  ])
  func `broken JSON is refused`(text: String) {
    #expect(throws: JSONScanner.Damage.self) { try scan(text) { try $0.skipValue() } }
  }

  @Test func `deep nesting ends in an error, not in a crash`() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONScanner.Damage.self) { try scan(text) { try $0.skipValue() } }
  }

  @Test func `a list longer than its limit is refused`() {
    #expect(throws: JSONScanner.Damage.self) { try scan("[1,2,3]") { try $0.numbers(limit: 2) } }
  }
}
