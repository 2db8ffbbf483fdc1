import ArgumentParser
import CommandLine
import Console
import DataCommands
import Text

/// The program that people call: has the verbs that move data, and hands all else to `nifty-compute`.
@main
struct Nifty: AsyncParsableCommand {
  // Shown only where the program that computes is missing; else that one answers `nifty --help`.
  static let configuration = CommandConfiguration(
    commandName: "nifty",
    abstract: "The verbs of nifty that move data; those that compute are not installed here.",
    version: Version.number,
    subcommands: DataVerbs.all
  )

  static func main() async {
    let arguments = Swift.CommandLine.arguments.dropFirst()
    if !DataVerbs.include(arguments) {
      if let refusal = ComputeProgram.refusal {
        Console.error("nifty: \(refusal)")
        exit(withError: ExitCode.failure)
      }
      let compute = ComputeProgram()
      compute.replaceThisProcess()
      // Still here: it is missing, or cannot be started.
      if let verb = arguments.first, !verb.hasPrefix("-"), verb != "help" {
        Console.error("nifty: \(compute.failure(of: verb))")
        exit(withError: ExitCode.failure)
      }
    }
    await Program.run(Self.self)
  }
}
