package import ArgumentParser
package import Console
import Files
import Foundation
import Text
import Threads

/// The common main function of nifty's two programs: `nifty`, which has the verbs that move data, and `nifty-compute`, which
/// has all of them and libtorch.
package enum Program {
  /// Parses the command line, runs one verb, and turns errors into one line and a status.
  ///
  /// On the main thread: a verb that computes stays on it with its tensors, and has its deep stack.
  ///
  /// - Parameter root: The command that has the verbs.
  @MainActor package static func run(_ root: any ParsableCommand.Type) async {
    // A reader that ended and a limit on file sizes are errors of a write, which say what and where.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    refuseUnreadableWords()
    refuseUnknownVerb(root)
    if let reason = ThreadLimit.refusal(of: ThreadLimit.common) { end(reason) }
    do {
      var command = try root.parseAsRoot(arguments)
      // Other ranks have the same words.
      if ["0", nil].contains(ProcessInfo.processInfo.environment["RANK"]) {
        for notice in RepeatedOptions.notices(arguments, root) { Console.error("nifty: \(notice)") }
      }
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      // Wrong words on the command line are explained by the parser, with usage; all else is a line.
      if error is ExitCode || root.exitCode(for: error) != .failure { root.exit(withError: error) }
      Console.clearProgress()
      end(words(of: error))
    }
  }

  /// Ends the process with one line.
  private static func end(_ reason: String, status: Int32 = EXIT_FAILURE) -> Never {
    Console.error("nifty: \(reason)")
    Foundation.exit(status)
  }

  /// An error in one line; Foundation's own describe themselves as a tree of dictionaries.
  static func words(of error: any Error) -> String {
    guard type(of: error) is NSError.Type || error is CocoaError else { return "\(error)" }
    let whole = error as NSError
    let cause = whole.userInfo[NSUnderlyingErrorKey] as? NSError ?? whole
    let reason =
      cause.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(clamping: cause.code)))
      : whole.localizedDescription.replacing("The operation could not be completed. ", with: "")
    guard let path = whole.userInfo[NSFilePathErrorKey] as? String else { return reason }
    return FileError("use", path: path, reason: reason).description
  }

  /// Ends the process with one line if a word of the command line is not UTF-8.
  ///
  /// Broken bytes would become U+FFFD: another file, or a prompt that nobody gave.
  private static func refuseUnreadableWords() {
    let words = UnsafeBufferPointer(
      start: Swift.CommandLine.unsafeArgv,
      count: Int(Swift.CommandLine.argc)
    )
    for (number, word) in words.enumerated().dropFirst() {
      guard let word, String(validatingCString: word) == nil else { continue }
      let text = String(cString: word)
      end(
        "word \(number) of the command line is not UTF-8: \(text); rename the file, or set the terminal to UTF-8",
        status: EX_USAGE
      )
    }
  }

  /// The words behind the program's name, as the parser reads them.
  private static var arguments: [String] {
    words(Array(Swift.CommandLine.arguments.dropFirst()))
  }

  /// Words as the parser reads them.
  ///
  /// The original takes `--metrics=` for no metrics; the parser holds a value of no letters for none given.
  /// It also holds a number that begins with a minus for a flag: `--trunc -0.5` becomes `--trunc=-0.5`.
  static func words(_ given: [String]) -> [String] {
    let options = given.prefix { $0 != "--" }
    var words: [String] = []
    for word in options {
      let isNegative = word.count > 1 && word.hasPrefix("-") && Double(word) != nil
      if isNegative, let flag = words.last, flag.hasPrefix("--"), !flag.contains("=") {
        words[words.count - 1] = "\(flag)=\(word)"
      } else {
        words.append(word == "--metrics=" ? "--metrics=none" : word)
      }
    }
    return words + given[options.endIndex...]
  }

  /// Ends the process with one line if the first word is no verb of the program.
  private static func refuseUnknownVerb(_ root: any ParsableCommand.Type) {
    guard let word = arguments.first, !word.hasPrefix("-") else {
      return
    }
    let commands = root.configuration.subcommands
    let verbs = commands.compactMap { $0.configuration.commandName } + ["help"]
    if verbs.contains(word) { return }
    let advice = nearest(word, in: verbs).map { "do you mean nifty \($0)?" } ?? "see nifty --help"
    end("there is no verb \(word); \(advice)", status: EX_USAGE)
  }
}
