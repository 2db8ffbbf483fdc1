import Datasets
import Distributed
import Foundation
import Networks
import Testing
import Torch
import TorchNN

@testable import Training

/// Losses and schedules beyond LAFITE's.
@Suite("Forms of the losses")
struct LossFormTests {
  private func context(
    ranks: Ranks = .alone,
    _ change: (inout TrainerConfiguration) -> Void = { _ in }
  ) throws -> LossContext {
    var shape = tinyTrainer(seed: 3)
    change(&shape)
    let random = SeededRandom(seed: 1)
    return LossContext(
      try tinyInputs(shape, ranks: ranks),
      generator: Generator(shape.generator, random: random),
      discriminator: Discriminator(shape.discriminator, random: random)
    )
  }

  private func output(_ logits: [Float]) -> Discriminator.Output {
    .init(logits: Tensor(logits, shape: [logits.count, 1]), features: nil, agreement: nil)
  }

  private func softplus(_ x: Float) -> Float { Float(log1p(exp(Double(x)))) }

  @Test func `the relativistic loss is that of the difference of two logits`() throws {
    let context = try context()
    let loss = context.lossOfDifference(output([2, -1]), output([0.5, 3]))
    for (own, expected) in zip(loss.floats, [softplus(-1.5), softplus(4)]) {
      #expect(abs(own - expected) < 1e-6)
    }
  }

  @Test func `a relativistic discriminator gains where only the difference of the logits grows`()
    throws
  {
    func moved(_ form: AdversarialForm) throws -> Double {
      let context = try context {
        $0.losses.adversarial = form
        $0.losses.itd = 0
      }
      let batch = tinyBatch(1)
      let c = context.conditioning(batch, random: SeededRandom(seed: 2))
      let painted = GeneratedBatch(images: batch.images, condition: c.condition)
      let loss = discriminatorPairLoss(
        context,
        batch: batch,
        generated: painted,
        conditioning: c,
        random: SeededRandom(seed: 3)
      )
      // Equal images have equal logits: the loss is ln 2 and no weight of the discriminator changes it.
      #expect(abs(loss.total.item - log(2)) < 1e-6)
      let slopes = gradients(of: [loss.total], withRespectTo: context.discriminator.parameters)
      return slopes.reduce(0) { max($0, $1?.magnitude().largest().item ?? 0) }
    }
    #expect(try moved(.relativistic) < 1e-6)
  }

  @Test func `a wrong condition is that of the next image, and the last image has the first's`()
    throws
  {
    let context = try context { $0.losses.mismatchWeight = 0.5 }
    let batch = tinyBatch(1)
    let c = context.conditioning(batch, random: SeededRandom(seed: 2))
    let wrong = context.nextConditions(c.condition)
    let rows = c.features.floats
    #expect(wrong.features.floats == Array(rows[8...] + rows[..<8]))
    let loss = mismatchLoss(context, batch: batch, conditioning: c, random: SeededRandom(seed: 3))
    let logits = context.discriminate(batch.images, wrong, random: SeededRandom(seed: 3)).logits
    let expected = logits.floats.reduce(0) { $0 + softplus($1) } / 4 * 0.5
    #expect(abs(Float(loss.total.item) - expected) < 1e-5)
  }

  @Test func `the paired distance adds the levels of a Laplacian pyramid`() {
    func distance(_ side: Int, _ body: (inout [Float]) -> Void) -> Float {
      var pixels = [Float](repeating: 0, count: 3 * side * side)
      body(&pixels)
      let real = SeededRandom(seed: 4).normal([1, 3, side, side])
      return pairedDistance(real + Tensor(pixels, shape: [1, 3, side, side]), real).floats[0]
    }
    // A constant is in the last level alone, a chessboard in the first.
    #expect(abs(distance(16) { $0 = $0.map { _ in -0.25 } } - 0.25) < 1e-6)
    let chessboard = distance(8) { pixels in
      for index in pixels.indices { pixels[index] = (index / 8 + index) % 2 == 0 ? 0.5 : -0.5 }
    }
    #expect(abs(chessboard - 0.5) < 1e-6)
    // One of 192 values: 48 and three times 16 of the first level, 16 of the 48 of the last.
    #expect(abs(distance(8) { $0[77] = 64 } - (96.0 / 192 + 16.0 / 48)) < 1e-5)
    // Sides that cannot be halved, or need not be, are the last level.
    #expect(abs(distance(7) { $0[5] = 14.7 } - 14.7 / 147) < 1e-5)
    #expect(abs(distance(4) { $0[5] = 4.8 } - 4.8 / 48) < 1e-5)
  }

  @Test func `the paired distance counts by its weight, between rows of one condition`() throws {
    func value(_ weight: Double) throws -> LossValue {
      let context = try context { $0.losses.pairedWeight = weight }
      let batch = tinyBatch(1)
      return generatorLoss(
        context,
        batch: batch,
        conditioning: context.conditioning(batch, random: SeededRandom(seed: 2)),
        z: SeededRandom(seed: 3).normal([4, 8]),
        random: SeededRandom(seed: 4)
      )
    }
    let (plain, paired) = (try value(0), try value(3))
    let images = try #require(paired.generated).images
    let real = tinyBatch(1).images
    for row in 0..<4 {
      let own = pairedDistance(images.sliced(0, row..<row + 1), real.sliced(0, row..<row + 1)).item
      let added = Double(paired.perSample.floats[row] - plain.perSample.floats[row])
      #expect(abs(added - 3 * own) < 1e-4, "row \(row)")
    }
    #expect(plain.reports.allSatisfy { $0.name != "Loss/G/paired" })
    #expect(paired.reports.contains { $0.name == "Loss/G/paired" })
  }

  @Test func `LeCam pulls logits toward the running mean of the other kind`() throws {
    #expect(try context().anchored(output([1]), isReal: true) == nil)
    let context = try context { $0.losses.anchorWeight = 0.5 }
    let anchors = try #require(context.anchors)
    func penalty(_ logits: [Float], isReal: Bool) throws -> [Float] {
      try #require(context.anchored(output(logits), isReal: isReal)).floats
    }
    #expect(try penalty([2, -1], isReal: true) == [2, 0.5])
    // A hundredth of the batch's mean.
    #expect(abs(anchors.real.item - 0.005) < 1e-7 && anchors.fake.item == 0)
    let fakes = try penalty([1, 3], isReal: false)
    for (own, logit) in zip(fakes, [1, 3] as [Float]) {
      #expect(abs(own - 0.5 * (logit - 0.005) * (logit - 0.005)) < 1e-6)
    }
    #expect(abs(anchors.fake.item - 0.02) < 1e-7)
    let reals = try penalty([4, 4], isReal: true)
    #expect(abs(reals[0] - 0.5 * 3.98 * 3.98) < 1e-5)
    #expect(abs(anchors.real.item - (0.99 * 0.005 + 0.04)) < 1e-7)
  }

  @Test(arguments: [AdversarialForm.logistic, .relativistic])
  func `LeCam's running means are part of the state`(form: AdversarialForm) throws {
    var shape = tinyTrainer(seed: 3)
    shape.losses.adversarial = form
    shape.losses.anchorWeight = 0.3
    func trainer() throws -> Trainer { Trainer(try tinyInputs(shape)) }
    let whole = try trainer()
    let begun = try trainer()
    for step in 0..<2 {
      for trainer in [whole, begun] { _ = trainer.step(tinyBatch(UInt64(step))) }
    }
    let state = Dictionary(
      uniqueKeysWithValues: begun.stateTensors.map { ($0.name, $0.tensor.copy()) }
    )
    #expect(state["logits.real"]?.item != 0 && state["logits.fake"]?.item != 0)
    let continued = try trainer()
    try continued.restore(begun.progress) { state[$0] }
    for trainer in [whole, continued] { _ = trainer.step(tinyBatch(2)) }
    for (own, expected) in zip(continued.stateTensors, whole.stateTensors) {
      #expect(own.tensor.floats == expected.tensor.floats, "\(own.name)")
    }
    #expect(throws: TrainingError.self) {
      try trainer().restore(begun.progress) { $0.hasPrefix("logits") ? nil : state[$0] }
    }
  }

  @Test func `R2 is R1 on generated images, and off it draws nothing`() throws {
    func run(_ gamma: Double) throws -> PhaseResult {
      let context = try context { $0.losses.generatedGamma = gamma }
      return phaseGradients(
        .discriminatorRegularisation,
        context,
        batch: tinyBatch(1),
        z: SeededRandom(seed: 4).normal([4, 8]),
        meanPathLength: Tensor.zeros([]),
        gain: 1,
        random: SeededRandom(seed: 5)
      )
    }
    let (without, with, twice) = (try run(0), try run(1), try run(2))
    #expect(!without.reports.contains { $0.name == "Loss/r2_penalty" })
    let penalty = try #require(with.reports.first { $0.name == "Loss/r2_penalty" }).values
    #expect(penalty.smallest(0).item > 0)
    // The gradient is linear in the weight.
    for index in without.gradients.indices {
      let (a, b, c) = (without.gradients[index], with.gradients[index], twice.gradients[index])
      let difference = ((c - b) - (b - a)).magnitude()
      #expect(difference.reshaped(-1).largest(0).item < 1e-4)
    }
  }

  @Test func `several views average CLIP's loss of augmented images`() throws {
    let images = tinyBatch(1).images
    let single = try context { $0.losses.clipCrop = .none }
    let plain = single.clipFeatures(images, random: SeededRandom(seed: 6))
    let again = single.clipFeatures(images, random: SeededRandom(seed: 7))
    let augmented = try context {
      $0.losses.clipCrop = .none
      $0.losses.clipViews = 2
    }
    let (first, second) = (
      augmented.clipFeatures(images, random: SeededRandom(seed: 6)),
      augmented.clipFeatures(images, random: SeededRandom(seed: 7))
    )
    #expect(plain.floats == again.floats)
    #expect(first.floats != second.floats && first.floats != plain.floats)
    for features in [plain, first] {
      #expect(features.squared().sum(1).floats.allSatisfy { abs($0 - 1) < 1e-5 })
    }
  }

  @Test func `images of a step are augmented alike, whichever rank computes them`() {
    let images = SeededRandom(seed: 2).uniform([6, 3, 8, 8])
    let all = DiffAugment()(images, random: SeededRandom(seed: 3))
    for part in 0..<2 {
      let slice = BatchSlice(part, of: 2)
      let own = DiffAugment()(
        slice.rows(of: images),
        random: SlicedRandom(SeededRandom(seed: 3), slice)
      )
      #expect(own.floats == slice.rows(of: all).floats)
    }
    #expect(all.floats != images.floats)
  }

  @Test func `learning rates fall with the square root of the images, from the given number on`() {
    var configuration = tinyTrainer(seed: 0)
    #expect(configuration.learningRateDecay(imagesSeen: 1 << 40) == 1)
    configuration.learningRateDecayKimg = 10
    #expect(configuration.learningRateDecay(imagesSeen: 0) == 1)
    #expect(configuration.learningRateDecay(imagesSeen: 10_000) == 1)
    #expect(configuration.learningRateDecay(imagesSeen: 40_000) == 0.5)
    #expect(configuration.learningRateDecay(imagesSeen: 1_000_000) == 0.1)
  }

  @Test func `a step with a fallen learning rate moves the weights by so much less`() throws {
    func moved(kimg: Double?) throws -> Double {
      var configuration = tinyTrainer(seed: 5)
      configuration.learningRateDecayKimg = kimg
      let trainer = Trainer(try tinyInputs(configuration))
      trainer.imagesSeen = 16_000
      let before = trainer.discriminator.parameters.map { $0.detached().copy() }
      _ = trainer.step(tinyBatch(1))
      return zip(trainer.discriminator.parameters, before).reduce(0) {
        max($0, ($1.0.detached() - $1.1).magnitude().reshaped(-1).largest(0).item)
      }
    }
    let ratio = try moved(kimg: 1) / moved(kimg: nil)
    #expect(abs(ratio - 0.25) < 0.01, "\(ratio)")
  }
}
