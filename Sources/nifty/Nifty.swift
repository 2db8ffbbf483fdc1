import ArgumentParser
import Foundation
import Torch

/// The program: parses the command line, runs one verb, and turns errors into one line.
@main
struct Nifty: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nifty",
    abstract: "From image–caption metadata to a text-to-image GAN with a measured score.",
    discussion: """
      The five stages, in order:
        nifty laion      download image–caption pairs listed in Parquet metadata
        nifty clip       train a small CLIP (or bring your own)
        nifty pack       shape folders of pairs into zips with CLIP features inside
        nifty train      pre-train and fine-tune LAFITE
        nifty generate   paint images of texts

      Bring published datasets in with nifty import, look at packed ones with nifty
      dataset, get published weights with nifty fetch. Score a snapshot with nifty
      metrics, show a run as an animation with nifty animate, exchange snapshots
      with the original LAFITE with nifty convert. Try
      everything at once, small, on real data:
        nifty demo
      """,
    version: "0.1.0",
    subcommands: [
      LaionCommand.self, ImportCommand.self, ClipCommand.self, PackCommand.self,
      DatasetCommand.self, TrainCommand.self, MetricsCommand.self, GenerateCommand.self,
      AnimateCommand.self, ConvertCommand.self, FetchCommand.self, DemoCommand.self,
    ]
  )

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      // What computes needs the same memory again and again; a download gives it back.
      if !(command is LaionCommand) { Runtime.keepFreedMemory() }
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      // Wrong words on the command line are explained by the parser, with usage; all else is a line.
      if error is ExitCode || exitCode(for: error) != .failure { exit(withError: error) }
      Console.clearProgress()
      Console.error("nifty: \(error)")
      Foundation.exit(EXIT_FAILURE)
    }
  }
}
