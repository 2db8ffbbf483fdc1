import ArgumentParser
import CLIP
import CommandLine
import Console
import Datasets
import Evaluation
import Files
import Foundation
import Text
import Torch
import TorchNN

/// Packed pictures → a classifier whose features judge generators.
struct ClassifierCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classifier",
    abstract: "Train a small classifier whose features judge generators.",
    discussion: """
      It learns which words of the captions belong to a picture; `nifty metrics
      --metrics=mmd_features --classifier FILE` compares pictures by its
      features. Give it pictures that no generator, discriminator or CLIP of
      yours learns from: then nothing was trained to please it.

      Words of fewer than 5 pictures, or of more than a quarter, are no classes.
      A twentieth of the pictures is only measured.

      EXAMPLES
        nifty classifier --data apart.zip --out classifier.safetensors
        nifty classifier --data 'apart{0..3}.zip' --side 64 --seconds 600 \\
          --out classifier.safetensors
      """
  )

  @Option(help: "Packed zip; repeat for several. Brace patterns are expanded.") var data: [String]
  @Option(help: "The file to write.") var out: String
  @Option(help: "Side of the pictures in pixels; that of the data, at most 64, if not given.")
  var side: Int?
  @Option(help: "The most words that are classes.") var words = 1000
  @OptionGroup var training: SmallTrainingFlags

  func validate() throws {
    if let side {
      guard (16...PictureClassifier.largestResolution).contains(side), side % 8 == 0 else {
        throw ValidationError("--side must be a multiple of 8 from 16 to 512, not \(side)")
      }
    }
    try refuse(words, unless: .between(2, 100_000, "words"), flag: "--words")
  }

  func run() throws {
    try training.prepare(out: out)
    let datasets = try data.flatMap(expandedBraces).map {
      try PackedDataset($0, requiresFeatures: false)
    }
    let own = datasets.map(\.resolution).min() ?? 32
    let data = try ClassifierData(
      datasets,
      side: side ?? max(16, min(64, own / 8 * 8)),
      mostWords: words
    ) { done, total in Console.progress("pictures  \(done)/\(total)") }
    tell(data)
    let model = PictureClassifier(
      resolution: data.training.resolution,
      words: data.words,
      random: SeededRandom(seed: training.seed, stream: .classifierWeights, position: 0)
    )
    model.move(to: Runtime.defaultDevice)
    let settings = training.settings(pictures: data.training.count, noun: "pictures")
    let trainer = ClassifierTrainer(model: model, pairs: data.training, configuration: settings)
    trainer.run { SmallTrainingFlags.show($0, of: "classifier") }
    try model.save(to: out)
    let found = model.accuracy(data.heldOut)
    let figures = [
      ("held_out_top1", found.top1), ("most_common_word", found.mostCommon),
      ("words", Double(data.words.words.count)), ("kimg", Double(trainer.imagesSeen) / 1000),
    ]
    Console.line(
      String(
        format: "the best word is one of the caption's for %.3f of %d pictures kept out, "
          + "the most common word for %.3f",
        found.top1,
        data.heldOut.count,
        found.mostCommon
      )
    )
    Console.line("wrote \(out)")
    if let report = training.report { try Figures.write(figures, to: report) }
  }

  private func tell(_ data: ClassifierData) {
    let words = data.words
    Console.line(
      "\(data.training.count) pictures of \(data.training.resolution)², \(data.heldOut.count) kept out, "
        + "\(Text.count(words.words.count, "word"))"
    )
    if words.rare > 0 { Console.line("left out \(Text.count(words.rare, "rare word"))") }
    if !words.common.isEmpty {
      let shown = words.common.prefix(10).joined(separator: ", ")
      Console.line("left out \(Text.count(words.common.count, "common word")): \(shown)")
    }
    if data.wordless > 0 {
      Console.line("left out \(Text.count(data.wordless, "picture")) without any of the words")
    }
  }
}
