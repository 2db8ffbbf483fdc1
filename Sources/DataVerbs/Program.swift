package import ArgumentParser
import Foundation

/// What nifty's two programs share: `nifty`, which has the verbs of this target, and `nifty-compute`,
/// which has all of them and libtorch.
package enum Program {
  /// The version of both.
  package static let version = "0.1.0"

  /// The verbs that move data and never compute.
  ///
  /// They run without libtorch, which would cost each of their processes 100 MB and a quarter of a
  /// second.
  package static var dataVerbs: [any ParsableCommand.Type] { [laion, dataset, fetch] }

  /// `nifty laion`.
  package static var laion: any ParsableCommand.Type { LaionCommand.self }
  /// `nifty dataset`.
  package static var dataset: any ParsableCommand.Type { DatasetCommand.self }
  /// `nifty fetch`.
  package static var fetch: any ParsableCommand.Type { FetchCommand.self }

  /// Whether a command line asks for one of `dataVerbs`.
  ///
  /// - Parameter arguments: The words behind the program's name.
  /// - Returns: Whether the first of them is one's name.
  package static func isDataVerb(_ arguments: some Collection<String>) -> Bool {
    dataVerbs.contains { $0.configuration.commandName == arguments.first }
  }

  /// Parses the command line, runs one verb, and turns errors into one line and a status.
  ///
  /// On the main thread: a verb that computes stays on it with its tensors, and has its deep stack.
  ///
  /// - Parameter root: The command that has the verbs.
  @MainActor package static func run(_ root: any ParsableCommand.Type) async {
    // A reader that ended and a limit on file sizes are errors of a write, which say what and where.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try root.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      // Wrong words on the command line are explained by the parser, with usage; all else is a line.
      if error is ExitCode || root.exitCode(for: error) != .failure { root.exit(withError: error) }
      Console.clearProgress()
      Console.error("nifty: \(error)")
      Foundation.exit(EXIT_FAILURE)
    }
  }
}
