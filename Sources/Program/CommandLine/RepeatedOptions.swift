import ArgumentParser
import Foundation

/// Options that are given more than once though they take one value: the parser keeps the last without a word.
enum RepeatedOptions {
  /// What to say of a command line.
  ///
  /// - Parameters:
  ///   - words: The words behind the program's name.
  ///   - root: The command that has the verbs.
  /// - Returns: A line for each such option.
  static func notices(_ words: [String], _ root: any ParsableCommand.Type) -> [String] {
    let options = words.prefix { $0 != "--" }
    let names = options.compactMap(name)
    // The description of a verb takes a moment: it is made only where a name comes twice.
    if Set(names).count == names.count { return [] }
    let single = arguments(of: options, root).filter { $0.kind == "option" && !$0.isRepeating }
    return single.compactMap { option in
      let own = Set((option.names ?? []).map(\.text))
      let places = options.indices.filter { name(of: options[$0]).map(own.contains) == true }
      guard places.count > 1, let last = places.last, let shown = name(of: options[last]) else {
        return nil
      }
      let value =
        options[last].firstIndex(of: "=").map { options[last][$0...].dropFirst() }
        ?? options.dropFirst(last + 1).first?[...] ?? ""
      let count = places.count == 2 ? "twice" : "\(places.count) times"
      return "\(shown) is given \(count): the last, \(value), counts"
    }
  }

  /// The name of an option in a word: `--out` of `--out=x`.
  private static func name(of word: String) -> String? {
    guard word.hasPrefix("-"), word.count > 1, Double(word) == nil else { return nil }
    return String(word.prefix { $0 != "=" })
  }

  /// The options of the verb that words name, as the parser describes them.
  private static func arguments(
    of words: ArraySlice<String>,
    _ root: any ParsableCommand.Type
  ) -> [Argument] {
    var verb = root
    for word in words {
      guard let inner = verb.configuration.subcommands.first(where: { $0._commandName == word })
      else { break }
      verb = inner
    }
    // `nifty laion` alone is `nifty laion download`.
    while let inner = verb.configuration.defaultSubcommand { verb = inner }
    let description = try? JSONDecoder().decode(Tool.self, from: Data(verb._dumpHelp().utf8))
    return description?.command.arguments ?? []
  }

  private struct Tool: Decodable {
    var command: Command
  }

  private struct Command: Decodable {
    var arguments: [Argument]
  }

  private struct Argument: Decodable {
    var kind: String
    var isRepeating: Bool
    var names: [Name]?
  }

  private struct Name: Decodable {
    var kind: String
    var name: String

    /// As on the command line.
    var text: String { (kind == "long" ? "--" : "-") + name }
  }
}
