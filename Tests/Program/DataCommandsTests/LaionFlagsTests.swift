import ArgumentParser
import Foundation
import TestSupport
import Testing
import Text

@testable import DataCommands
@testable import Laion

/// The flags of `nifty laion`, parsed without a process, and the table that they come from.
@Suite("Flags of the laion command")
struct LaionFlagsTests {
  /// A word that each flag takes, other than its default; none for a flag without a value.
  private static let words: [String: String?] = [
    "metadata": "other", "out": "elsewhere", "retry": nil, "parts": "2-3", "shard": "1/4",
    "per-split": "7", "column": "caption=alt_text",
    "columns": "url,caption", "keep-columns": "pwatermark,punsafe", "uncaptioned": nil,
    "opt-out": "noai,noindex", "resize": "keep-ratio", "deny": "deny.txt", "drop-label": "UNSURE",
    "min-similarity": "0.25", "max-unsafe": "0.5", "max-watermark": "0.75", "licence": "cc0",
    "language": "en", "min-side": "64", "max-side": "4096", "max-aspect": "2.5",
    "min-caption": "3", "max-caption": "500", "keep-duplicates": nil, "connections": "16",
    "connections-per-host": "2", "requests-per-second": "1.5", "timeout": "60",
    "connect-timeout": "2.5", "read-timeout": "4", "max-bytes": "1000000", "attempts": "5",
    "user-agent": "tester/1.0", "ignore-robots": nil, "allow-address": "10.0.0.7",
    "allow-private-addresses": nil, "to": "webdataset", "format": "webp", "quality": "80",
    "size": "256", "near-duplicates": "6", "pairs-per-shard": "500", "work": "scratch",
    "s3-endpoint": "http://127.0.0.1:9000",
  ]

  /// Flags that say how the command works, and are no settings of a download.
  private static let others: Set = [
    "shards", "log", "metrics-port", "metrics-address", "help", "version",
  ]

  private static let flags = LaionOptions.all.filter(\.hasFlag).map(\.name)
  private static let ranged = LaionOptions.all.filter { $0.range != nil && $0.hasFlag }.map(\.name)

  private func option(_ name: String) throws -> any AnyLaionOption {
    try #require(LaionOptions.all.first { $0.name == name })
  }

  private func settings(_ given: [String] = []) throws -> LaionConfiguration {
    let needed = [("--metadata", "m"), ("--out", "o")].filter { name, _ in
      !given.contains { $0.hasPrefix(name + "=") }
    }
    return try LaionCommand.Download.parse(needed.map { "\($0)=\($1)" } + given).settings
  }

  @Test func `no name stands for two options, and every flag is tried here`() {
    let names = LaionOptions.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(Self.words.keys) == Set(Self.flags).subtracting(Self.others))
  }

  @Test func `without a flag the configuration has its own defaults`() throws {
    var expected = LaionConfiguration(metadata: "m", output: "o")
    // The command drops by the metadata, before a request, what it would drop by the image.
    expected.filter.minimumSide = expected.image.minimumSide
    #expect(try settings() == expected)
  }

  /// What a flag needs beside it to have an effect.
  private static let needed = [
    "quality": ["--format=jpg"], "resize": ["--size=64"],
    "work": ["--out=s3://bucket/laion", "--to=webdataset"],
    "s3-endpoint": ["--out=s3://bucket/laion", "--to=webdataset"],
  ]

  @Test(arguments: words.keys.sorted())
  func `every flag reaches the configuration`(flag: String) throws {
    let word = try #require(Self.words[flag])
    let needed = Self.needed[flag] ?? []
    let given = try settings([word.map { "--\(flag)=\($0)" } ?? "--\(flag)"] + needed)
    let plain = try settings(needed)
    #expect(given != plain, "--\(flag) is parsed and goes nowhere")
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(try encoder.encode(given) != encoder.encode(plain))
  }

  @Test func `a flag that two settings share reaches both`() throws {
    let side = try settings(["--min-side=64"])
    #expect(side.image.minimumSide == 64 && side.filter.minimumSide == 64)
    let all = try settings(["--keep-duplicates", "--ignore-robots"])
    #expect(!all.image.dropsDuplicates && !all.filter.dropsDuplicates)
    #expect(!all.fetch.followsRobots && all.fetch.optOutDirectives.isEmpty)
  }

  @Test(arguments: ranged)
  func `what is beyond a range is refused as it was typed, and the limits are not`(
    name: String
  ) throws {
    let option = try option(name)
    let range = try #require(option.range)
    let isWhole = option is LaionOption<Int> || option is LaionOption<Int?>
    func typed(_ limit: Double) -> String {
      isWhole ? String(Int(limit)) : Text.typed(limit)
    }
    #expect(!range.limits.refused.isEmpty)
    for limit in range.limits.refused {
      let expected = range.complaint("--\(name)", typed(limit))
      let error = #expect(throws: (any Error).self) {
        try settings(["--\(name)=\(typed(limit))"])
      }
      let message = LaionCommand.Download.message(for: try #require(error))
      #expect(message == expected)
    }
    for limit in range.limits.allowed {
      do { _ = try settings(["--\(name)=\(typed(limit))"]) } catch {
        // At its limit an option may be at odds with the default of another, which is said of both.
        let message = LaionCommand.Download.message(for: error)
        #expect(!message.contains(range.text), "\(message)")
      }
    }
  }

  @Test func `seconds that are none are refused as well`() throws {
    for word in ["nan", "inf", "-1", "0"] {
      let error = #expect(throws: (any Error).self) { try settings(["--timeout=\(word)"]) }
      let message = LaionCommand.Download.message(for: try #require(error))
      #expect(message == "--timeout must be above 0 and at most 3600 seconds, not \(word)")
    }
  }

  @Test(arguments: [
    (["--to=zip"], "--to zip packs squares of one size: add --size, as --size 256"),
    (
      ["--min-side=65", "--max-side=64"],
      "--min-side must be at most --max-side, which is 64, not 65"
    ),
    (["--max-side=31"], "--min-side must be at most --max-side, which is 31, not 32"),
    (
      ["--min-caption=5", "--max-caption=4"],
      "--min-caption must be at most --max-caption, which is 4, not 5"
    ),
    (
      ["--allow-address=example.com"],
      "--allow-address must be an IP address, such as 10.0.0.7, not \"example.com\""
    ),
    (
      ["--user-agent=a\nb"],
      "--user-agent must be printable ASCII, such as \"name/1.0\", not \"a\\nb\""
    ),
    (["--shards=0"], "--shards must be at least 1, not 0"),
    (["--quality=80"], "--quality is for --format jpg and webp; png is without loss"),
    (["--work=w"], "--work is where --out s3://… works; o is a folder"),
    (["--s3-endpoint=http://x"], "--s3-endpoint is where --out s3://… goes; o is a folder"),
    (["--out=s3://abc/x"], "--out s3://… takes --to webdataset or --to zip, not single files"),
    (
      ["--out=s3://ab/x", "--to=webdataset"],
      "\"s3://ab/x\" is no s3://bucket/prefix: a bucket has 3 to 63 small letters, digits, dots and dashes"
    ),
    (
      ["--out=s3://abc/x", "--to=webdataset", "--s3-endpoint=http://x/y"],
      "the store's endpoint must be an address without a path, as http://x:80, not http://x:80/y"
    ),
    (
      ["--quality=80", "--format=png"],
      "--quality is for --format jpg and webp; png is without loss"
    ),
  ])
  func `options that do not go together are named`(given: [String], expected: String) throws {
    let error = #expect(throws: (any Error).self) { try settings(given) }
    #expect(LaionCommand.Download.message(for: try #require(error)) == expected)
  }

  @Test func `the help has the flags of the table with its words and defaults, and no others`()
    throws
  {
    let outcome = try nifty(["laion", "download", "--experimental-dump-help"])
    let help = try JSONDecoder().decode(DumpedHelp.self, from: Data(outcome.output.utf8))
    var seen: Set<String> = []
    for argument in help.command.arguments {
      guard let name = argument.names?.first(where: { $0.kind == "long" })?.name else { continue }
      seen.insert(name)
      guard let option = LaionOptions.all.first(where: { $0.name == name }) else {
        #expect(Self.others.contains(name), "--\(name) is in no table")
        continue
      }
      #expect(argument.abstract == option.summary)
      #expect((argument.discussion ?? "") == option.discussion)
      let number = argument.defaultValue.flatMap(Double.init)
      #expect(number == option.standardText.flatMap(Double.init), "--\(name)")
    }
    #expect(seen == Set(Self.flags).union(Self.others))
    #expect(LaionOptions.userAgent.standard == FetchSettings().userAgent)
  }

  @Test func `the page on filters names flags that there are, with their defaults`() throws {
    let page = try String(
      contentsOfFile: Repository.path("Documentation/guides/filters.md"),
      encoding: .utf8
    )
    var numbers = 0
    for row in page.split(separator: "\n") where row.hasPrefix("| `--") {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let name = cells[0].dropFirst(3).prefix { $0.isLetter || $0 == "-" }
      let option = try option(String(name))
      guard let number = Double(cells[1]) else {
        #expect(option.standardText == nil, "\(row)")
        continue
      }
      numbers += 1
      #expect(option.standardText == Text.typed(number), "\(row)")
    }
    #expect(numbers >= 4)
  }
}

/// What `--experimental-dump-help` writes.
private struct DumpedHelp: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable { let kind: String, name: String }
    let names: [Name]?
    let abstract: String?
    let discussion: String?
    let defaultValue: String?
  }
  struct Command: Decodable { let arguments: [Argument] }
  let command: Command
}
