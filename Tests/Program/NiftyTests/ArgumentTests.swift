import CommandLine
import Console
import Testing
import Text

@testable import DataCommands

@Suite("Arguments") struct ArgumentTests {
  @Test func `braces are expanded as a shell does, and what is no range stays as it is`() {
    #expect(expandedBraces("a{8..10}.zip") == ["a8.zip", "a9.zip", "a10.zip"])
    #expect(expandedBraces("{b,c}{1..0}") == ["b1", "b0", "c1", "c0"])
    for odd in [
      "{-9223372036854775808..9223372036854775807}", "{0..9223372036854775807}", "{..}", "{1..}",
      "{0..99999999999999999999}", "{", "}{", "{}",
    ] { #expect(expandedBraces(odd) == [odd]) }
  }

  @Test(arguments: [-1, -1e300, .infinity, -.infinity, .nan, 1e9])
  func `an unknown time is a dash`(seconds: Double) { #expect(Text.time(seconds) == "–") }

  @Test func `parts and shards are read strictly`() {
    #expect(PartRange(argument: "3-5")?.range == 3...5)
    for odd in ["5-3", "-1", "", "-", "1-2-3", "99999999999999999999", "0x1"] {
      #expect(PartRange(argument: odd) == nil, "\(odd)")
    }
    for odd in ["4/4", "0/0", "-1/4", "1", "1/2/3", "a/b", "0/99999999999999999999"] {
      #expect(ShardChoice(argument: odd) == nil, "\(odd)")
    }
    // Nothing to show of nothing.
    _ = [Double.nan, .infinity, -.infinity, 0.5].map(Console.bar)
  }
}
