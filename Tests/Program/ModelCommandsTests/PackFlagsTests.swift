import ArgumentParser
import Foundation
import TestSupport
import Testing
import Text

@testable import ModelCommands

/// The flags of `nifty pack` and the table that they come from.
@Suite("Flags of the pack command")
struct PackFlagsTests {
  /// A word that each flag takes, other than its default; none for a flag without a value.
  private static let words: [String: String?] = [
    "width": "16", "height": "16", "transform": "center-crop", "orientation": "exif",
    "resize-filter": "box",
    "max-images": "7", "clip": "c.safetensors", "no-clip": nil, "clip-view": "whole",
    "clip-precision": "bfloat16", "mirror-features": nil, "format": "jpeg", "quality": "80",
    "min-side": "64", "drop-grey": nil, "threads": "1000", "batch": "3", "checkpoint": "0.5",
    "lafite-json": nil,
  ]

  private static let ranged = PackOptions.all.filter { $0.range != nil }.map(\.name)

  private func flags(_ name: String, _ word: String?) throws -> PackFlags {
    try PackFlags.parse([word.map { "--\(name)=\($0)" } ?? "--\(name)"])
  }

  @Test func `no name stands for two options, and every flag is tried here`() {
    let names = PackOptions.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(Self.words.keys) == Set(names))
  }

  @Test(arguments: words.keys.sorted())
  func `every flag reaches its own option and no other`(name: String) throws {
    let flags = try flags(name, #require(Self.words[name]))
    let changed = PackOptions.all.filter { $0.isChanged(in: flags) }.map(\.name)
    #expect(changed == [name])
  }

  @Test func `without a flag nothing is changed`() throws {
    let flags = try PackFlags.parse([])
    #expect(PackOptions.all.filter { $0.isChanged(in: flags) }.isEmpty)
  }

  @Test(arguments: ranged)
  func `what is beyond a range is refused as it was typed, and the limits are not`(
    name: String
  ) throws {
    let option = try #require(PackOptions.all.first { $0.name == name })
    let range = try #require(option.range)
    let isWhole = !(option is PackOption<Double>)
    func typed(_ limit: Double) -> String {
      isWhole ? String(Int(limit)) : Text.typed(limit)
    }
    for limit in range.limits.refused {
      let flags = try flags(name, typed(limit))
      let error = #expect(throws: ValidationError.self) { try option.check(in: flags) }
      #expect(error?.message == range.complaint("--\(name)", typed(limit)))
    }
    for limit in range.limits.allowed {
      let flags = try flags(name, typed(limit))
      #expect(throws: Never.self) { try option.check(in: flags) }
    }
  }

  @Test(arguments: ["pack", "import"])
  func `the help has the flags of the table with its words and defaults`(verb: String) throws {
    let outcome = try nifty([verb, "--experimental-dump-help"])
    let help = try JSONDecoder().decode(DumpedHelp.self, from: Data(outcome.output.utf8))
    var seen: [String] = []
    for argument in help.command.arguments {
      guard let name = argument.names?.first(where: { $0.kind == "long" })?.name,
        let option = PackOptions.all.first(where: { $0.name == name })
      else { continue }
      seen.append(name)
      #expect(argument.abstract == option.summary)
      let number = argument.defaultValue.flatMap(Double.init)
      #expect(number == option.standardText.flatMap(Double.init), "--\(name)")
    }
    #expect(seen == PackOptions.all.map(\.name))
  }
}

/// What `--experimental-dump-help` writes.
private struct DumpedHelp: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable { let kind: String, name: String }
    let names: [Name]?
    let abstract: String?
    let defaultValue: String?
  }
  struct Command: Decodable { let arguments: [Argument] }
  let command: Command
}
