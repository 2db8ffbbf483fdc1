import Datasets
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Training

@Suite("Text mapper")
struct TextMapperTests {
  /// Texts that are a fixed linear function of the images, plus noise.
  private func pairs(_ count: Int, seed: UInt64, scatter: Double = 0.025) -> FeaturePairs {
    let rotation = SeededRandom(seed: 1).normal([16, 16])
    let random = SeededRandom(seed: seed)
    let images = random.normal([count, 16]).normalized()
    let texts = images.matmul(rotation).normalized() + random.normal([count, 16]) * scatter
    return FeaturePairs(images: images, texts: texts.normalized())
  }

  /// A mapper none of whose layers is zero.
  private func disturbed() -> TextMapper {
    let random = SeededRandom(seed: 1)
    let mapper = TextMapper(.init(featureDimension: 16), random: random)
    mapper.setTrainable(false)
    for tensor in mapper.parameters { tensor.assign(tensor + random.normal(tensor.shape)) }
    return mapper
  }

  private var settings: TextMapperTraining {
    var settings = TextMapperTraining()
    settings.steps = 400
    settings.batchSize = 64
    settings.measureEvery = 100
    settings.optimizer.learningRate = 0.02
    return settings
  }

  @Test func `the loss falls, and made features come nearer to the text than noise does`() {
    let trainer = TextMapperTrainer(settings)
    let heldOut = pairs(100, seed: 3)
    var losses: [Double] = []
    let mapper = trainer.train(pairs(1000, seed: 2), heldOut: heldOut) { _, loss, _ in
      losses.append(loss)
    }
    #expect(losses.count == 4)
    #expect(losses[3] < losses[0] - 1, "\(losses)")
    let measured = trainer.measure(mapper, heldOut)
    #expect(measured.centre > 0.85, "\(measured)")
    #expect(measured.sampled > measured.gaussian + 0.5, "\(measured)")
    // The texts' noise costs about 1 − 1/√(1 + 0.01) of the best cosine.
    #expect(measured.sampled < measured.centre, "\(measured)")
  }

  @Test func `a batch is no larger than the pairs there are`() {
    let trainer = TextMapperTrainer(settings)
    #expect(trainer.batchSize(of: pairs(1000, seed: 2)) == 64)
    #expect(trainer.batchSize(of: pairs(20, seed: 2)) == 20)
  }

  @Test func `the noise is as wide as texts scatter`() {
    let trainer = TextMapperTrainer(settings)
    let deviations = [0.025, 0.25].map { scatter in
      let pairs = pairs(1000, seed: 2, scatter: scatter)
      let mapper = trainer.train(pairs, heldOut: pairs) { _, _, _ in }
      return mapper.distribution(pairs.images).logDeviation.exponential().mean().item
    }
    #expect(deviations[1] > deviations[0] * 1.3, "\(deviations)")
  }

  @Test func `made features have unit length and depend on image and noise`() {
    let mapper = disturbed()
    let random = SeededRandom(seed: 2)
    let (h, n) = (random.normal([5, 16]).normalized(), random.normal([5, 16]))
    let made = mapper(h, noise: n).detached()
    expectClose(made.norm(1), .ones([5]), rtol: 1e-5, atol: 1e-6)
    #expect(made.floats != mapper(h, noise: n * 2).detached().floats)
    #expect(made.floats != mapper(h.flipped(0), noise: n).detached().floats)
  }

  @Test func `a mapper survives its file, and other files are refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("mapper.safetensors")
    let mapper = TextMapper(.init(featureDimension: 6, width: 9), random: SeededRandom(seed: 1))
    try mapper.save(to: path, notes: ["clip_sha256": "ab"])
    let (back, notes) = try TextMapper.load(path)
    #expect(back.configuration == mapper.configuration && notes == ["clip_sha256": "ab"])
    #expect(back.state.map(\.tensor.floats) == mapper.state.map(\.tensor.floats))

    try SafeTensors.write([("x", Tensor.ones([1]))], metadata: ["format": "else"], to: path)
    #expect(throws: TextMapperError.self) { try TextMapper.load(path) }
    let claim = "{\"featureDimension\":65536,\"layers\":64,\"width\":65536}"
    try SafeTensors.write(
      [("x", Tensor.ones([1]))],
      metadata: ["format": "nifty-text-mapper", "configuration": claim],
      to: path
    )
    #expect(throws: TextMapperError.self) { try TextMapper.load(path) }
  }

  @Test func `conditioning without captions uses the mapper instead of noise`() {
    let mapper = disturbed()
    let random = SeededRandom(seed: 2)
    let images = random.normal([4, 16]).normalized()
    let texts = random.normal([4, 16]).normalized()
    var losses = LossConfiguration()
    losses.mixingProb = 1
    let source = { SeededRandom(seed: 5) }
    let made = Conditioning(
      images: images,
      texts: texts,
      configuration: losses,
      source: mapper,
      random: source()
    )
    let expected = mapper(images, noise: source().normal([4, 16]))
    expectClose(made.features.detached(), expected.detached(), rtol: 1e-6, atol: 1e-6)
    losses.mixingProb = 0
    let withText = Conditioning(
      images: images,
      texts: texts,
      configuration: losses,
      source: mapper,
      random: source()
    )
    let without = Conditioning(
      images: images,
      texts: texts,
      configuration: losses,
      random: source()
    )
    #expect(withText.features.floats == without.features.floats)
  }
}
