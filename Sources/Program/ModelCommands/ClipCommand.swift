import ArgumentParser
import CLIP
import CommandLine
import Console
import Fetch
import Files
import Foundation
import Networks
import Text
import Torch
import TorchNN
import Training

/// CLIP models of one's own.
struct ClipCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clip",
    abstract: "Train a small CLIP or a mapper to text features, or convert a published CLIP.",
    subcommands: [
      Train.self, MapperCommand.self, ClipConvertCommand.self, ClipTokensCommand.self,
    ]
  )

  /// Trains a CLIP from nothing.
  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train",
      abstract: "Train a small CLIP on folders of pairs.",
      discussion: """
        The file it writes is what `nifty pack --clip` and `nifty train --clip`
        take. Retrieval at rank 1 over all pairs is printed for captions in English
        and in Japanese.

        EXAMPLES
          nifty clip train --data data/split0 --data data/split1 \\
            --out clip.safetensors
          nifty clip train --data data/split0 --test data/held-out \\
            --seconds 200 --out clip.safetensors
        """
    )

    @Option(help: "Folder of pairs; repeat for several. Brace patterns are expanded.")
    var data: [String]

    @Option(help: "Folder of pairs that are kept out of training and only measured.")
    var test: [String] = []

    @Option(help: "The file to write.")
    var out: String

    @Option(help: "Side of the pictures in pixels.")
    var side = 32

    @OptionGroup var training: SmallTrainingFlags

    func validate() throws {
      guard side >= 16, side <= 512, side % 8 == 0 else {
        throw ValidationError("--side must be a multiple of 8 from 16 to 512, not \(side)")
      }
    }

    func run() throws {
      try training.prepare(out: out)
      let (pairs, dropped) = try PairFolders.pairs(data.flatMap(expandedBraces), side: side)
      guard pairs.count >= 2 else {
        throw CLIPError.noPairs(folders: data)
      }
      Self.tell(dropped: dropped, of: data)
      let settings = training.settings(pictures: pairs.count, noun: "pairs")
      let tokenizer = try Weights.tokenizer()
      let vocabulary = tokenizer.vocabulary(for: pairs.captions.joined())
      let shape = CLIPConfiguration.small(vocabulary: vocabulary, imageResolution: side)
      let model = CLIP(shape, random: SeededRandom(seed: training.seed, plain: .clipWeights))
      model.move(to: Runtime.defaultDevice)
      Console.line(
        "\(pairs.count) pairs, \(model.parameterCount) parameters, \(vocabulary.count) tokens"
      )
      let restricted = tokenizer.restricted(to: vocabulary)
      let trainer = try CLIPTrainer(
        model: model,
        tokenizer: restricted,
        pairs: pairs,
        configuration: settings
      )
      trainer.run { SmallTrainingFlags.show($0, of: "clip") }
      try model.save(to: out)
      var figures = try retrieval(model, restricted, pairs, prefix: "r1")
      if !test.isEmpty {
        let (held, dropped) = try PairFolders.pairs(test.flatMap(expandedBraces), side: side)
        Self.tell(dropped: dropped, of: test)
        figures += try retrieval(model, restricted, held, prefix: "r1_held_out")
      }
      for (name, value) in figures { Console.line("\(name) \(String(format: "%.3f", value))") }
      Console.line("wrote \(out)")
      if let report = training.report {
        let json = figures.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ")
        try AtomicFile.write(
          "{\(json), \"kimg\": \(Double(trainer.imagesSeen) / 1000)}\n",
          to: report
        )
      }
    }

    private static func tell(dropped: Int, of folders: [String]) {
      if dropped == 0 { return }
      let pairs = Text.count(dropped, "pair")
      let names = folders.joined(separator: ", ")
      Console.line("left out \(pairs) of \(names) without a readable picture or text")
    }

    private func retrieval(
      _ model: CLIP,
      _ tokenizer: CLIPTokenizer,
      _ pairs: CLIPPairs,
      prefix: String
    ) throws -> [(String, Double)] {
      try [("en", false), ("ja", true)].compactMap { code, japanese in
        guard let own = pairs.inJapanese(japanese) else { return nil }
        let found = try CLIPRetrieval.measure(model, tokenizer: tokenizer, pairs: own)
        return ("\(prefix)_\(code)", found.imageToText)
      }
    }
  }
}
