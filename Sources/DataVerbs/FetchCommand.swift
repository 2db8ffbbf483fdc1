import ArgumentParser
import Files
import Foundation

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
      let folder = out ?? DataVerbs.Weights.folder
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw FileError(
          "create folder",
          path: folder,
          reason: "not writable, or a file is in the way"
        )
      }
      for weights in PublishedWeights.all
      where names.contains("all") || names.contains(weights.name) {
        try await weights.fetch(to: folder, from: from)
      }
    }
  }
}

/// A file of weights that others publish.
struct PublishedWeights: Sendable {
  /// What `nifty fetch weights` calls it.
  let name: String
  /// Its file name.
  let file: String
  /// Where it is published.
  let url: String
  /// Its hash, if its publisher states it.
  let sha256: String?

  static let all = [
    clip(
      "clip-vit-b-32",
      "ViT-B-32.pt",
      "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
    ),
    clip(
      "clip-vit-b-16",
      "ViT-B-16.pt",
      "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"
    ),
    detector("inception", Weights.inception), detector("vgg16", Weights.vgg16),
  ]

  // OpenAI's addresses carry the hash.
  private static func clip(_ name: String, _ file: String, _ sha256: String) -> PublishedWeights {
    let url = "https://openaipublic.azureedge.net/clip/models/\(sha256)/\(file)"
    return PublishedWeights(name: name, file: file, url: url, sha256: sha256)
  }

  private static func detector(_ name: String, _ file: String) -> PublishedWeights {
    let folder = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics"
    return PublishedWeights(name: name, file: file, url: "\(folder)/\(file)", sha256: nil)
  }

  /// Downloads the file unless it is there.
  ///
  /// - Parameters:
  ///   - folder: Where to.
  ///   - base: Address of a folder to take it from, instead of its publisher's.
  /// - Throws: `DownloadError` or `FileError`; offline, the error says which file to put where.
  func fetch(to folder: String, from base: String?) async throws {
    let path = folder + "/" + file
    let expected = sha256 ?? RecordedHash.read(path)
    if FileManager.default.fileExists(atPath: path) {
      return try RecordedHash.check(path, expected)
    }
    let slash = base?.hasSuffix("/") == true ? "" : "/"
    let address = base.map { $0 + slash + file } ?? url
    do {
      let digest = try await ResumableDownload(url: address, path: path, sha256: expected)
        .run { done, total in
          let whole = total.map { "/\(Text.number(Double($0) / 1e6))" } ?? ""
          Console.progress("\(file)  \(Text.number(Double(done) / 1e6))\(whole) MB")
        }
      try RecordedHash.note(digest, of: path, expected)
    } catch let error as DownloadError where error.cause == .unreachable {
      let hash = expected.map { " (sha256 \($0))" } ?? ""
      throw DownloadError(
        cause: .unreachable,
        description: "\(error); without a network, put a copy of \(url)\(hash) at \(path)"
      )
    }
  }
}
