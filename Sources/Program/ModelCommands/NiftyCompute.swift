package import ArgumentParser
import CommandLine
import DataCommands
import Text
import Torch

/// The program with all verbs, which `nifty` hands over to for those that compute.
package struct NiftyCompute: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "nifty",
    abstract: "From image–caption metadata to a text-to-image GAN with a measured score.",
    discussion: """
      The five stages, in order:
        nifty laion      download image–caption pairs listed in Parquet metadata
        nifty clip       train a small CLIP (or bring your own)
        nifty pack       shape folders of pairs into zips with CLIP features inside
        nifty train      pre-train and fine-tune LAFITE
        nifty generate   paint images of texts; nifty walk, the way between them

      Bring published datasets in with nifty import, look at packed ones with nifty
      dataset, get published weights with nifty fetch. Score a snapshot with nifty
      metrics, train a judge for it with nifty classifier, find a picture in a generator with nifty project, paint and watch runs in the browser with nifty studio, list runs with
      nifty runs, show one as an animation with nifty animate, exchange snapshots
      with the original LAFITE with nifty convert.

      Try everything at once, small, on real data:
        nifty demo
      """,
    version: Version.number,
    subcommands: DataVerbs.laion + [
      ImportCommand.self, ClipCommand.self, PackCommand.self,
      DataVerbs.dataset, TrainCommand.self, MetricsCommand.self, GenerateCommand.self,
      WalkCommand.self, ProjectCommand.self, AnimateCommand.self, StudioCommand.self,
      RunsCommand.self, ConvertCommand.self, ClassifierCommand.self,
      DataVerbs.fetch,
    ] + demo
  )

  #if COMPUTE_ONLY
  private static var demo: [any ParsableCommand.Type] { [] }
  #else
  private static var demo: [any ParsableCommand.Type] { [DemoCommand.self] }
  #endif

  package init() {}

  /// Parses the command line and runs one verb.
  @MainActor package static func main() async {
    // Computing allocates the same memory again and again.
    Runtime.keepFreedMemory()
    await Program.run(Self.self)
  }
}
