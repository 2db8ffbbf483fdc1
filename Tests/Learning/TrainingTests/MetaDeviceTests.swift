import CLIP
import Networks
import Sampling
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// A whole step and what paints, on the device without memory: it refuses a tensor that was left on the CPU,
/// as a GPU would.
@Suite("On a device that refuses operands of another")
struct MetaDeviceTests {
  private func inputs(
    _ configuration: TrainerConfiguration,
    pseudoText: (any PseudoTextSource)? = nil
  ) throws -> StepInputs {
    let inputs = try tinyInputs(configuration)
    let projection = Tensor.uninitialized([3 * 16 * 16, tinyFeatureDimension]).to(.meta)
    return StepInputs(
      options: inputs.options,
      data: inputs.data,
      clip: ImageTower(side: 16) {
        CLIP.normalize($0).reshaped($0.size(0), -1).to(.float32).matmul(projection)
      },
      pseudoText: pseudoText,
      device: .meta
    )
  }

  @Test func `a step without captions, with pseudo text that is retrieved`() throws {
    var configuration = tinyTrainer(seed: 1)
    configuration.losses.mixingProb = 1
    let features = Tensor.zeros([10, tinyFeatureDimension]).to(.meta)
    let retrieval = TextRetrieval(
      captions: features,
      others: features,
      .init(noise: 0.5, steps: 2),
      rowsAtATime: 4
    )
    let trainer = Trainer(try inputs(configuration, pseudoText: retrieval))
    _ = trainer.step(batch(4))
    #expect(trainer.imagesSeen == 4)
  }

  private func batch(_ size: Int, classes: Int? = nil) -> TrainingBatch {
    let host = tinyBatch(1, size: size)
    return TrainingBatch(
      images: host.images.to(.meta),
      imageFeatures: host.imageFeatures.to(.meta),
      textFeatures: host.textFeatures.to(.meta),
      labels: classes.map { Tensor.zeros([size, $0]).to(.meta) }
    )
  }

  @Test func `it refuses mixed operands`() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor.ones([2]).to(.meta) + Tensor.ones([2])
    }
  }

  @Test(arguments: [false, true], [false, true])
  func `a step of every phase`(isReduced: Bool, isAugmented: Bool) throws {
    var configuration = tinyTrainer(seed: 1)
    configuration.reusesFakes = isAugmented
    if isReduced {
      configuration.generator.reducedPrecisionResolutions = 2
      configuration.discriminator.reducedPrecisionResolutions = 2
    }
    if isAugmented {
      let transforms = try #require(AugmentConfiguration(named: "bgc"))
      configuration.augmentation = AugmentationOptions(transforms, probability: 0.5)
    }
    let trainer = Trainer(try inputs(configuration))
    let names = trainer.step(batch(4)).map(\.name)
    #expect(names.contains("Loss/r1_penalty") && names.contains("Loss/pl_penalty"), "\(names)")
    #expect(trainer.imagesSeen == 4)
    #expect(trainer.generator.parameters.allSatisfy { $0.device == .meta })
  }

  @Test func `a step and a picture with classes`() throws {
    var configuration = tinyTrainer(seed: 1)
    configuration.generator.labelDimension = 3
    configuration.discriminator.labelDimension = 3
    let trainer = Trainer(try inputs(configuration))
    _ = trainer.step(batch(4, classes: 3))
    #expect(trainer.discriminator.parameters.allSatisfy { $0.device == .meta })
    let painter = Painter(
      generator: trainer.average,
      truncation: 0.7,
      truncationCutoff: nil,
      noise: .const,
      classes: ClassChoice([0, 2])
    )
    #expect(painter.row(fts: painter.features([1]), seeds: [1]).device == .meta)
  }

  @Test func `a picture, mixed and between two`() {
    let generator = Generator(tinyTrainer(seed: 1).generator, random: SeededRandom(seed: 1))
    generator.setTrainable(false)
    generator.move(to: .meta)
    let fts = Tensor.uninitialized([1, tinyFeatureDimension]).to(.meta)
    for noise in Painter.Noise.allCases {
      let painter = Painter(
        generator: generator,
        truncation: 0.7,
        truncationCutoff: nil,
        noise: noise
      )
      let images = painter.row(fts: fts, seeds: [1, 2])
      #expect(images.shape == [2, 3, 16, 16] && images.device == .meta)
      let mixed = painter.mixedRow(fts: fts, seed: 1, mixing: .init(seeds: [2], layers: 0...1))
      #expect(mixed.shape == [2, 3, 16, 16])
    }
  }

  @Test func `features of pictures and texts by a CLIP`() {
    let model = CLIP(
      CLIPConfiguration(
        embedDimension: 16,
        imageResolution: 32,
        vision: .transformer(layers: 1, width: 16, patch: 16, heads: 2),
        contextLength: 8,
        vocabularySize: 20,
        textWidth: 16,
        textHeads: 2,
        textLayers: 1
      ),
      random: SeededRandom(seed: 3)
    )
    model.setTrainable(false)
    model.move(to: .meta)
    let pixels = CLIP.normalize(Tensor.uninitialized([4, 3, 32, 32]).to(.meta))
    #expect(pixels.device == .meta)
    let tokens = Tensor([Int64](repeating: 1, count: 16), shape: [2, 8]).to(.meta)
    let logits = model.logits(model.encodeImage(pixels), model.encodeText(tokens))
    #expect(logits.shape == [4, 2] && logits.device == .meta)
    #expect(logits.gathered(0, [3, 1, 1]).shape == [3, 2])
  }
}
