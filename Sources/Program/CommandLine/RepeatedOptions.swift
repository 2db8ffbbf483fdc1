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
    // The description of all verbs takes a moment: it is made only where a name comes twice.
    guard Set(names).count < names.count, let verb = description(of: options, root) else {
      return []
    }
    let single = verb.arguments.filter { $0.kind == "option" && !$0.isRepeating }
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

  /// The verb that words name, as the parser describes it.
  private static func description(
    of words: ArraySlice<String>,
    _ root: any ParsableCommand.Type
  ) -> Command? {
    let json = Data(root._dumpHelp().utf8)
    guard var command = try? JSONDecoder().decode(Tool.self, from: json).command else { return nil }
    for word in words {
      let inner = command.subcommands?.first { $0.commandName == word }
      guard let inner else { break }
      command = inner
    }
    return command
  }

  private struct Tool: Decodable {
    var command: Command
  }

  private struct Command: Decodable {
    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]

    enum CodingKeys: CodingKey { case commandName, subcommands, arguments }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      commandName = try values.decode(String.self, forKey: .commandName)
      subcommands = try values.decodeIfPresent([Command].self, forKey: .subcommands)
      arguments = try values.decodeIfPresent([Argument].self, forKey: .arguments) ?? []
    }
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
