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
  @Option(help: "Thousands of images to see; a repeated picture counts again.") var kimg = 200.0
  @Option(help: "Stop after this many seconds.") var seconds: Double?
  @Option(help: "Pictures in a step.") var batch = 128
  @Option(help: "Seed of everything random.") var seed: UInt64 = 0
  @Option(help: "Threads.") var threads = 1
  @Option(help: "File for the figures as JSON.") var report: String?

  func validate() throws {
    if let side {
      guard (16...PictureClassifier.largestResolution).contains(side), side % 8 == 0 else {
        throw ValidationError("--side must be a multiple of 8 from 16 to 512, not \(side)")
      }
    }
    try refuse(words, unless: .between(2, 100_000, "words"), flag: "--words")
    try refuse(batch, unless: .between(2, 1_000_000), flag: "--batch")
    try refuse(threads, unless: .threads, flag: "--threads")
    try refuse(kimg, unless: .above(0, atMost: 1e9, "thousand images"), flag: "--kimg")
    try refuse(seconds, unless: .above(0, atMost: 1e9, "seconds"), flag: "--seconds")
  }

  func run() throws {
    Runtime.threads = threads
    try OutputName.expectFile(out, "safetensors")
    try RegularFile.expectPlace(for: out)
    if let report {
      try OutputName.expectFile(report, "json")
      try RegularFile.expectPlace(for: report)
    }
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
      random: SeededRandom(seed: seed, stream: .classifierWeights, position: 0)
    )
    model.move(to: Runtime.defaultDevice)
    var settings = CLIPTrainingConfiguration(kimg: kimg)
    settings.maximumSeconds = seconds
    settings.batchSize = batch
    settings.seed = seed
    let trainer = ClassifierTrainer(model: model, pairs: data.training, configuration: settings)
    trainer.run { progress in
      Console.progress(
        "classifier  \(Text.number(Double(progress.imagesSeen) / 1000)) kimg  "
          + "loss \(Text.number(progress.loss))  "
          + "\(Text.rate(progress.imagesPerSecond, "images"))  "
          + "\(Text.time(progress.secondsLeft)) left"
      )
    }
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
    if let report { try Figures.write(figures, to: report) }
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
    if batch > data.training.count {
      Console.error(
        "--batch \(batch): there are only \(data.training.count) pictures, a step takes all"
      )
    }
  }
}
