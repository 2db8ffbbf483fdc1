import Foundation
import TestSupport
import Testing

@testable import CommandLine
@testable import Distributed

@Suite("Command line")
struct CommandTests {
  @Test func `the help names every stage and ends well`() throws {
    let help = try nifty(["--help"])
    #expect(help.status == 0)
    for verb in [
      "laion", "import", "clip", "pack", "dataset", "train", "metrics", "generate", "walk",
      "project", "studio", "runs",
      "convert", "classifier", "fetch", "demo",
    ] {
      #expect(help.output.contains(verb), "help lacks \(verb)")
    }
  }

  @Test(arguments: [
    "laion", "import", "clip train", "clip convert", "pack", "dataset export", "dataset merge",
    "train", "metrics", "generate", "walk", "project", "animate", "studio", "runs", "convert",
    "classifier", "fetch weights", "demo",
  ])
  func `every verb explains itself with examples`(verb: String) throws {
    let help = try nifty(verb.split(separator: " ").map(String.init) + ["--help"])
    #expect(help.status == 0)
    #expect(help.output.contains("EXAMPLES"))
    #expect(help.output.contains("OPTIONS"))
  }

  @Test(arguments: ["--fps -2", "--fps=-2"])
  func `a number that begins with a minus is a value`(words: String) throws {
    let arguments =
      ["walk", "--network", "emoji", "sun", "moon"] + words.split(separator: " ").map(String.init)
    let outcome = try nifty(arguments)
    #expect(outcome.status == 64)
    #expect(
      outcome.errors.contains("--fps must be between 0.1 and 100, not -2"),
      "\(outcome.errors)"
    )
  }

  @Test
  func `negative numbers become values of a flag only where that is unambiguous`() {
    func read(_ line: String) -> String {
      Program.words(line.split(separator: " ").map(String.init)).joined(separator: " ")
    }
    #expect(read("x --a -0.5 --b -1e3 -2") == "x --a=-0.5 --b=-1e3 -2")
    #expect(
      read("--a=1 -2 -h --out -o --once -- --a -1") == "--a=1 -2 -h --out -o --once -- --a -1"
    )
    #expect(read("--metrics= --kimg -3") == "--metrics=none --kimg=-3")
  }

  @Test func `an unknown verb suggests the nearest`() throws {
    let mistyped = try nifty(["trian", "--data=x"])
    #expect(mistyped.status == 64)
    #expect(mistyped.errors == "nifty: there is no verb trian; do you mean nifty train?\n")
    #expect(try nifty(["xyzzy"]).errors == "nifty: there is no verb xyzzy; see nifty --help\n")
  }

  @Test func `the last of an option given twice counts, and is named`() throws {
    let folder = try TemporaryFolder()
    let words = ["classifier", "--data", "x.zip", "--out", "a.png", "--out", "b.jpg"]
    let outcome = try nifty(words, in: folder.path)
    #expect(outcome.errors.hasPrefix("nifty: --out is given twice: the last, b.jpg, counts\n"))
    #expect(outcome.status == 1 && outcome.errors.contains("b.jpg"))
  }

  /// Command lines that must fail with one line naming what is wrong.
  static let mistakes: [(arguments: String, expected: String)] = [
    ("laion --metadata /nowhere --out OUT/a", "/nowhere"),
    ("pack --source=/nowhere --dest=OUT/a.zip --width=32 --height=32 --clip FILE", "/nowhere"),
    ("train --outdir=OUT/runs --data=/nowhere.zip --clip FILE", "/nowhere.zip"),
    ("train --outdir=OUT/runs --data=FILE --clip FILE", "text.txt"),
    ("metrics --network FILE --data=/nowhere.zip", "text.txt"),
    ("metrics --network /nowhere.safetensors --data=/nowhere.zip", "/nowhere.safetensors"),
    ("generate --network FILE --clip FILE heart", "text.txt"),
    ("generate --network /nowhere --clip FILE heart", "/nowhere"),
    ("convert FILE OUT/model", "text.txt"), ("convert /nowhere.pkl OUT/model", "/nowhere.pkl"),
    ("clip train --data /nowhere --out OUT/clip.safetensors", "/nowhere"),
    ("animate /nowhere --out OUT/a.webp", "/nowhere"),
    ("walk --network /nowhere --out OUT/a.webp sun moon", "/nowhere"),
    ("walk --network FILE --clip FILE --out OUT/frames sun moon", "text.txt"),
    ("runs /nowhere", "/nowhere"), ("runs /nowhere --json", "/nowhere"),
    ("studio --port 0 --network /nowhere", "/nowhere"),
    ("studio --port 0 --network FILE", "text.txt"),
    ("studio --port 0 --network emoji --runs /nowhere", "/nowhere"),
    ("studio --port 0 --network emoji --clip FILE", "text.txt"),
    ("studio --port 0 --network emoji --host 203.0.113.1", "203.0.113.1"),
  ]

  @Test(arguments: mistakes) func `a mistake is one clear line and leaves nothing behind`(
    arguments: String,
    expected: String
  ) throws {
    let (folder, out) = (try TemporaryFolder(), try TemporaryFolder())
    let text = folder.file("text.txt")
    try folder.write(Array("not what you think\n".utf8), to: "text.txt")
    let words = arguments.split(separator: " ").map {
      $0.replacingOccurrences(of: "OUT", with: out.path)
        .replacingOccurrences(of: "FILE", with: text)
    }
    let outcome = try nifty(words)
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("nifty: "))
    #expect(out.contents.isEmpty, "left behind: \(out.contents)")
  }

  @Test(arguments: [
    ("train --outdir=o --data=d --clip c --mixing_prob=2", "--mixing_prob"),
    ("train --outdir=o --data=d --clip c --mirror=maybe", "--mirror"),
    ("train --outdir=o --data=d --clip c --gpus=0", "--gpus"),
    ("train --outdir=o --data=d --clip c --metrics=fid", "--metrics"),
    ("train --outdir=o --data=d --clip c --batch=6", "--batch"),
    ("train --outdir=o --data=d --clip c --alert=ftp://x", "--alert"),
    ("pack --source=s --dest=d --width=33 --height=33 --clip c", "--width"),
    ("laion --metadata m --out o --parts=x", "--parts"),
    ("generate --network n", "text"),
  ])
  func `a wrong flag value says what is allowed and ends with status 64`(
    arguments: String,
    expected: String
  ) throws {
    let outcome = try nifty(arguments.split(separator: " ").map(String.init))
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
  }
}
