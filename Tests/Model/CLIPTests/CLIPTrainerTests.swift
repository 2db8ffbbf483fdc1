import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

@Suite("CLIP training")
struct CLIPTrainerTests {
  private let mergeList = "#version\nr e\nre d</w>\ng re\nb l\nbl u\nblu e</w>\n"
  private let colours: [(name: String, rgb: [UInt8])] = [
    ("red", [230, 20, 20]), ("green", [20, 200, 30]), ("blue", [20, 30, 220]),
    ("white", [250, 250, 250]), ("black", [5, 5, 5]), ("yellow", [240, 230, 10]),
    ("purple", [130, 20, 160]), ("orange", [250, 140, 10]),
  ]

  private func pairs() -> CLIPPairs {
    let pixels = colours.flatMap { colour in
      (0..<64).flatMap { _ in colour.rgb }
    }
    return CLIPPairs(pixels: pixels, resolution: 8, captions: colours.map { [$0.name] })
  }

  private func setUp() throws -> (CLIP, CLIPTokenizer) {
    let full = try CLIPTokenizer(mergeList: mergeList)
    let tokenizer = full.restricted(to: full.vocabulary(for: colours.map(\.name)))
    let configuration = CLIPConfiguration(
      embedDimension: 16,
      imageResolution: 8,
      vision: .convolutional(channels: [8, 8]),
      contextLength: 8,
      vocabularySize: tokenizer.vocabularySize,
      textWidth: 16,
      textHeads: 2,
      textLayers: 1
    )
    return (CLIP(configuration, random: SeededRandom(seed: 1)), tokenizer)
  }

  private func trained(
    kimg: Double,
    captions: Int = 1
  ) throws -> (CLIP, CLIPTokenizer, [StepProgress]) {
    let (model, tokenizer) = try setUp()
    var configuration = CLIPTrainingConfiguration(kimg: kimg)
    configuration.batchSize = 8
    configuration.captionsPerPicture = captions
    configuration.warmUpImages = 40
    configuration.learningRate = 1e-2
    configuration.halfPrecision = false
    configuration.shiftPixels = 1
    let trainer = try CLIPTrainer(
      model: model,
      tokenizer: tokenizer,
      pairs: pairs(),
      configuration: configuration
    )
    var reports: [StepProgress] = []
    trainer.run { reports.append($0) }
    return (model, tokenizer, reports)
  }

  @Test func `a few colours are learned`() throws {
    let (model, tokenizer) = try setUp()
    let before = try CLIPRetrieval.measure(model, tokenizer: tokenizer, pairs: pairs())
    #expect(before.imageToText < 0.6)
    let (learned, _, reports) = try trained(kimg: 1.2)
    let after = try CLIPRetrieval.measure(learned, tokenizer: tokenizer, pairs: pairs())
    #expect(after.imageToText == 1 && after.textToImage == 1)
    #expect(reports.last?.imagesSeen == 1200)
    #expect(learned.logitScale.item <= log(100) + 1e-6)
  }

  @Test func `two runs with a limit in images are equal`() throws {
    let (a, _, _) = try trained(kimg: 0.08, captions: 2)
    let (b, _, _) = try trained(kimg: 0.08, captions: 2)
    for (x, y) in zip(a.state, b.state) {
      expectClose(x.tensor.detached(), y.tensor.detached(), rtol: 0, atol: 0, x.name)
    }
  }

  @Test func `the loss is the mean of both cross-entropies`() {
    let logits = Tensor([0, 0, Float(log(3.0)), 0], shape: [2, 2])
    // Rows: log 2 and log 4; columns: log 4 and log 2.
    expectClose(symmetricContrastiveLoss(logits).item, log(8.0) / 2, rtol: 1e-6)
    let masked = symmetricContrastiveLoss(logits, equalCaptions: [false, true, true, false])
    expectClose(masked.item, 0, atol: 1e-6)
  }

  @Test func `without strength augmentation only normalises`() {
    var configuration = CLIPTrainingConfiguration(kimg: 1)
    configuration.shiftPixels = 0
    configuration.scaling = 0
    configuration.colourNoise = 0
    let images = Tensor((0..<48).map { UInt8($0 * 5) }, shape: [1, 4, 4, 3])
    let plain = augmented(images, configuration, random: ReplayedRandom([]))
    let expected = CLIP.normalize(images.permuted(0, 3, 1, 2).to(.float32) / 255)
    expectClose(plain, expected, rtol: 0, atol: 0)
  }
}
