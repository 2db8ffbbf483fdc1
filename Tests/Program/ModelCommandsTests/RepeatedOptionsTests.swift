import ModelCommands
import Testing

@testable import CommandLine

@Suite("Options that are given twice")
struct RepeatedOptionsTests {
  @Test(arguments: [
    ("metrics --seed 1 --seed=2", ["--seed is given twice: the last, 2, counts"]),
    (
      "pack --source a --source b --dest x --dest y --width=3 --width 4 --width 5",
      [
        "--dest is given twice: the last, y, counts",
        "--width is given 3 times: the last, 5, counts",
      ]
    ),
    // A verb of a verb, and a value with its own sign of equality.
    ("clip train --out=a --out=b=c", ["--out is given twice: the last, b=c, counts"]),
    // The verb that stands for a word left out.
    (
      "laion --metadata m --out a --out b",
      ["--out is given twice: the last, b, counts"]
    ),
    ("laion verify --out a --out b", ["--out is given twice: the last, b, counts"]),
    // What may be repeated, flags without a value, words behind the end of options, unknown ones.
    ("train --data a --data b --outdir o -- --outdir p --outdir q", []),
    ("runs . --json --json", []), ("runs . --nothing a --nothing b", []), ("", []), ("--seed", []),
  ])
  func `the last value is named where only one counts`(line: String, expected: [String]) {
    let words = line.split(separator: " ").map(String.init)
    #expect(RepeatedOptions.notices(words, NiftyCompute.self) == expected)
  }
}
