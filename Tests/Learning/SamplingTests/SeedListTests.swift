import Testing

@testable import Sampling

@Suite("Lists of seeds")
struct SeedListTests {
  @Test(
    arguments: [
      ("1,3-5", [1, 3, 4, 5]), ("0", [0]), ("7,7,2-2", [7, 7, 2]), ("10-12,3", [10, 11, 12, 3]),
      ("007", [7]), ("18446744073709551615", [.max]),
      ("18446744073709551614-18446744073709551615", [.max - 1, .max]),
    ] as [(String, [UInt64])]
  )
  func `seeds and ranges of them come in the order given`(list: String, expected: [UInt64]) {
    #expect(SeedList(argument: list)?.seeds == expected)
  }

  @Test(arguments: [
    "", ",", "1,", ",1", "-", "-5", "5-", "5-3", "1--3", "1-2-3", "a", "1.5", "0x10", "1, 2",
    "18446744073709551616", "0-9999999999999", "0-18446744073709551615",
    "9999999999999-0", "0-10000", "0-9999,1",
  ])
  func `an invalid list, or one of more than ten thousand seeds, is refused`(list: String) {
    #expect(SeedList(argument: list) == nil)
  }

  @Test func `ten thousand seeds are allowed in every notation`() {
    #expect(SeedList(argument: "0-9999")?.seeds.count == 10_000)
    #expect(SeedList(argument: "5-5003,0-5000")?.seeds.count == 10_000)
    #expect(SeedList(argument: "0-9998,0-1") == nil)
    #expect(SeedList(argument: "0-4999,0-4999,0-4999") == nil)
    #expect(SeedList(argument: Array(repeating: "1", count: 10_001).joined(separator: ",")) == nil)
  }
}
