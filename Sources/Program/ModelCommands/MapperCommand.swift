import ArgumentParser
import CommandLine
import Console
import Datasets
import Files
import Foundation
import Networks
import Text
import Torch
import Training

/// Learns pseudo-text features from the pairs of packed zips (LAFITE-NN).
struct MapperCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mapper",
    abstract: "Learn a mapper from image features to text features.",
    discussion: """
      The file it writes is what `nifty train --text-mapper` takes: language-free
      training then conditions on learned text features instead of image features
      with noise. One image in ten is held out; printed is the mean cosine between
      its true text features and those that are made of its image feature.

      EXAMPLES
        nifty clip mapper --data coco.zip --out mapper.safetensors
      """
  )

  @Option(help: "Packed zip with captions; repeat for several. Brace patterns are expanded.")
  var data: [String]

  @Option(help: "The file to write.")
  var out: String

  @Option(help: "Steps of the optimiser.")
  var steps = 2000

  @Option(help: "Pairs in a step.")
  var batch = 128

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 0

  @Option(help: "Threads.")
  var threads = 1

  func validate() throws {
    try refuse(steps, unless: .between(1, 1_000_000), flag: "--steps")
    try refuse(batch, unless: .between(1, 1_000_000), flag: "--batch")
    try refuse(threads, unless: .threads, flag: "--threads")
  }

  func run() throws {
    Runtime.threads = threads
    try OutputName.expectFile(out, "safetensors")
    try RegularFile.expectPlace(for: out)
    let set = try TrainingSet(data.flatMap(expandedBraces).map { try PackedDataset($0) })
    var settings = TextMapperTraining()
    settings.steps = steps
    settings.batchSize = batch
    settings.seed = seed
    let trainer = TextMapperTrainer(settings)
    let (training, held) = trainer.divided(max(set.rawCount, 2))
    guard set.rawCount >= 2 else {
      throw TrainingError.option("\(data[0]): one image is too few to learn and measure with")
    }
    let pairs = try FeaturePairs(set, images: training)
    let heldOut = try FeaturePairs(set, images: held)
    guard pairs.count > 0, heldOut.count > 0 else {
      throw TrainingError.option(
        "\(data[0]): too few captions to learn from (\(pairs.count) to train on, "
          + "\(heldOut.count) held out); give a set packed with captions"
      )
    }
    Console.line("\(pairs.count) pairs to learn from, \(heldOut.count) held out")
    if trainer.batchSize(of: pairs) < batch {
      Console.error(
        "--batch \(batch) is more than there is to learn from: a step takes \(pairs.count) pairs"
      )
    }
    let mapper = trainer.train(pairs, heldOut: heldOut) { step, loss, measured in
      Console.progress(
        "mapper  step \(step)/\(steps)  loss \(Text.number(loss))  "
          + "held-out cosine \(Text.number(measured.centre))"
      )
    }
    let measured = trainer.measure(mapper, heldOut)
    for (name, value) in [
      ("centre", measured.centre), ("sampled", measured.sampled),
      ("gaussian", measured.gaussian), ("image", measured.image),
    ] { Console.line("cosine_\(name) \(String(format: "%.4f", value))") }
    try mapper.save(to: out, notes: notes(set))
    Console.line("wrote \(out)")
  }

  private func notes(_ set: TrainingSet) -> [String: String] {
    guard let maker = set.datasets.first?.manifest?.featureModel else { return [:] }
    return ["clip": maker.name, "clip_sha256": maker.sha256]
  }
}
