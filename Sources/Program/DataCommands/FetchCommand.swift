import ArgumentParser
import Console
import Fetch
import Files
import Foundation
import Text

/// Files of others that nifty works with.
struct FetchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Download published weights and LAFITE's processed datasets.",
    subcommands: [Weights.self, COCO.self, CelebA.self, CUB.self]
  )

  /// Downloads weights, checked and resumable.
  struct Weights: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "weights",
      abstract: "Download CLIP and the detectors of FID, checked by sha256.",
      discussion: """
        NAMES
          clip-vit-b-32   OpenAI's CLIP that LAFITE is trained with (338 MB)
          clip-vit-b-16   OpenAI's CLIP with smaller patches (335 MB)
          inception       Inception-v3 of the original FID, TorchScript
          vgg16           VGG-16 for precision, recall and path length, TorchScript
          all             all of them

        A download that broke off goes on where it stopped. CLIP's hashes are
        published with their addresses and are checked. For inception and vgg16 no
        published hash is known to us: the hash of the first download is printed
        and kept beside the file as NAME.sha256, and later ones are compared with
        it. Put the hash there yourself if you know it. TorchScript files are
        programs: take them from these addresses or from those you trust.

        EXAMPLES
          nifty fetch weights clip-vit-b-32
          nifty fetch weights all --out weights
          nifty fetch weights inception --from https://mirror.example/weights
        """
    )

    @Argument(help: "What to download.") var names: [String] = ["all"]
    @Option(help: "Folder to put files in; where nifty looks for weights, if not given.")
    var out: String?
    @Option(help: "Address of a folder that has the files under their names.") var from: String?

    func validate() throws {
      let known = PublishedWeights.all.map(\.name) + ["all"]
      for name in names where !known.contains(name) {
        throw ValidationError("there are \(known.joined(separator: ", ")), not \(name)")
      }
      if let from, !from.hasPrefix("https://"), !from.hasPrefix("http://") {
        throw ValidationError("--from must be an http or https address, not \(from)")
      }
    }

    func run() async throws {
      let folder = out ?? Fetch.Weights.folder
      try makeFolder(folder)
      for weights in PublishedWeights.all
      where names.contains("all") || names.contains(weights.name) {
        try await weights.fetch(to: folder, from: from)
      }
    }
  }
}
