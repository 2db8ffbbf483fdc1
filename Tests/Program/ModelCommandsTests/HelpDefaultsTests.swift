import ArgumentParser
import CommandLine
import Evaluation
import Fetch
import Foundation
import Images
import Networks
import Sampling
import Testing
import Training

@testable import DataCommands
@testable import ModelCommands

/// Defaults that depend on other flags, so that a help states them in words.
@Suite("Defaults that a help states in words")
struct HelpDefaultsTests {
  /// A command's help on one line.
  private func help(_ command: any ParsableCommand.Type) -> String {
    command.helpMessage(columns: 100).split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The text between two others.
  private func part(of text: String, after start: String, before end: String) throws -> String {
    let from = try #require(text.range(of: start)).upperBound
    let to = try #require(text.range(of: end, range: from..<text.endIndex)).lowerBound
    return String(text[from..<to])
  }

  @Test func `generate takes the seeds and layers of its help`() throws {
    let help = help(GenerateCommand.self)
    let command = try GenerateCommand.parse(["--network", "n", "text"])
    let seeds = try part(of: help, after: "as 0,3,10-15. (default: ", before: ")")
    #expect(SeedList(argument: seeds)?.seeds == command.ownSeeds)
    let layers = try part(of: help, after: "are the coarse ones. (default: ", before: ")")
    #expect(PartRange(argument: layers)?.range == command.mixedLayers)
  }

  @Test func `walk takes the seeds and qualities of its help`() throws {
    let help = help(WalkCommand.self)
    let some = try part(of: help, after: "as 0,3,10-15. (default: ", before: " for one text")
    let one = try part(of: help, after: "for one text, truncation and class, else ", before: ")")
    let ofOne = try WalkCommand.parse(["--network", "n", "text"])
    #expect(SeedList(argument: some)?.seeds == ofOne.stopSeeds)
    for words in [["a", "b"], ["a", "--trunc", "1,0"], ["a", "--class", "0-2"]] {
      let other = try WalkCommand.parse(["--network", "n"] + words)
      #expect(SeedList(argument: one)?.seeds == other.stopSeeds)
    }
    let width = try part(of: help, after: "; no loss up to ", before: " pixels")
    let quality = try part(of: help, after: ".webp, 1 to 100. (default: ", before: ";")
    let widest = try #require(Int(width))
    #expect(AnimatedWebP.quality(ofWidth: widest) == nil)
    #expect(AnimatedWebP.quality(ofWidth: widest + 1) == Int(quality))
  }

  @Test func `pack stores as its help says`() throws {
    let help = help(PackCommand.self)
    let usual = try part(of: help, after: "or jpeg. (default: ", before: ";")
    let readable = try part(of: help, after: "(default: \(usual); ", before: " with --lafite-json")
    #expect(try PackFlags.parse([]).storedFormat.rawValue == usual)
    #expect(try PackFlags.parse(["--lafite-json"]).storedFormat.rawValue == readable)
    #expect(help.contains("(default: \(Weights.clip), if it was fetched)"))
  }

  @Test func `fetch writes where its help says`() throws {
    let help = help(FetchCommand.COCO.self)
    let one = try part(of: help, after: "Zip to write. (default: ", before: ";")
    let named = try part(of: help, after: "of --id and --url ", before: ")")
    #expect(one == "data/NAME_SPLIT.zip" && named == "data/NAME.zip")
    #expect(DatasetFlags.standardPath(of: "coco", split: "val") == "data/coco_val.zip")
    #expect(DatasetFlags.standardPath(of: "coco", split: nil) == "data/coco.zip")
  }

  @Test(arguments: [(8, 1), (64, 1), (256, 4)])
  func `train computes with the defaults of its help`(side: Int, devices: Int) throws {
    let options = TrainingOptions.automatic(
      resolution: side,
      featureDimension: 512,
      reducedPrecision: false,
      gpus: devices
    )
    let batch = try #require(TrainingOption.batch.defaultText?.split(separator: " ").first)
    #expect(Int(batch).map { $0 * devices } == options.trainer.batchSize)
    let gamma = try #require(TrainingOption.gamma.defaultText?.split(separator: " ").first)
    #expect(
      Double(gamma).map { $0 * Double(side * side) / Double(options.trainer.batchSize) }
        == options.trainer.losses.gamma
    )
    let base = try #require(Int(part(of: TrainingOption.fmap.help, after: "base is ", before: " ")))
    #expect(options.trainer.generator.channelBase == base)
  }

  @Test func `the images of a metric are those that the help of train tells`() throws {
    let text = try #require(TrainingOption.metricImages.defaultText)
    let counts = text.split(separator: " ").compactMap { Int($0) }
    let paths = ["coco_test.zip", "celeba_test.zip"]
    #expect(counts == paths.map { MetricRules.lafite.generatedImages(testPath: $0) })
  }
}
