import Images
import Networks
import Pixels
import Testing
import Torch
import TorchNN
import TorchTestSupport
import Training

@testable import CLIP

@Suite("Trainer")
struct TrainerTests {
  private func trainer(_ configuration: TrainerConfiguration) throws -> Trainer {
    Trainer(try tinyInputs(configuration))
  }

  private func weights(_ module: some Module) -> [Float] { module.state.flatMap(\.tensor.floats) }

  @Test func `two runs with one seed are equal bit for bit, another seed is not`() throws {
    let (a, b, c) = try (
      trainer(tinyTrainer(seed: 3)), trainer(tinyTrainer(seed: 3)), trainer(tinyTrainer(seed: 4))
    )
    for step in 0..<5 {
      for trainer in [a, b, c] { _ = trainer.step(tinyBatch(UInt64(step))) }
    }
    #expect(weights(a.generator) == weights(b.generator))
    #expect(weights(a.discriminator) == weights(b.discriminator))
    #expect(weights(a.average) == weights(b.average))
    #expect(weights(a.generator) != weights(c.generator))
    #expect(a.imagesSeen == 20)
  }

  @Test func `after the first step the average is the generator`() throws {
    let trainer = try trainer(tinyTrainer(seed: 3))
    let before = weights(trainer.generator)
    _ = trainer.step(tinyBatch(0))
    #expect(weights(trainer.generator) != before)
    #expect(weights(trainer.average) == weights(trainer.generator))
    _ = trainer.step(tinyBatch(1))
    #expect(weights(trainer.average) != weights(trainer.generator))
  }

  /// The original computes in float16, the default on CUDA; on a CPU the default is bfloat16.
  @Test(arguments: [(DType.float16, 8e-3, 4e-3), (.bfloat16, 1e-1, 1e-1)])
  func `steps in reduced precision follow those in float32`(
    dtype: DType,
    tolerance: Double,
    ofFirstStep: Double
  ) throws {
    var firstCounts: [String: Int] = [:]
    func losses(_ reduced: DType?) throws -> [String: [Float]] {
      var configuration = tinyTrainer(seed: 3)
      configuration.setReducedPrecision(reduced != nil)
      let trainer = Trainer(try tinyInputs(configuration), reducedPrecision: reduced)
      var found: [String: [Float]] = [:]
      for step in 0..<5 {
        for report in trainer.step(tinyBatch(UInt64(step))) {
          found[report.name, default: []] += report.values.to(.float32).floats
        }
        if step == 0 { firstCounts = found.mapValues(\.count) }
      }
      #expect(weights(trainer.generator).allSatisfy { $0.isFinite })
      #expect(weights(trainer.discriminator).allSatisfy { $0.isFinite })
      return found
    }
    let (whole, reduced) = try (losses(nil), losses(dtype))
    #expect(Set(whole.keys) == Set(reduced.keys) && whole["Loss/pl_penalty"] != nil)
    for (name, values) in whole where !name.contains("signs") {
      // In the first step the weights have been changed by one update of each network at most.
      let first = zip(values, reduced[name] ?? []).prefix(firstCounts[name] ?? 0)
      let largest = max(Double(values.map(\.magnitude).max() ?? 0), 1)
      for (one, other) in first {
        #expect(
          Double((one - other).magnitude) <= ofFirstStep * largest,
          "\(name) in the first step"
        )
      }
      // A penalty is a square: of two lengths that differ by so much, the squares differ by twice as much.
      let isSquare = name.hasSuffix("penalty") || name.hasSuffix("reg")
      let measure = { (value: Float) in isSquare ? max(value, 0).squareRoot() : value }
      let scale = Double(values.map { measure($0).magnitude }.max() ?? 0)
      for (one, other) in zip(values.map(measure), (reduced[name] ?? []).map(measure)) {
        #expect(Double((one - other).magnitude) <= tolerance * max(scale, 1), "\(name)")
      }
    }
    #expect(whole["Loss/scores/real"] != reduced["Loss/scores/real"])
  }

  @Test func `regularisers run at their intervals only`() throws {
    let trainer = try trainer(tinyTrainer(seed: 3))
    var path: [Int] = []
    var penalty: [Int] = []
    for step in 0..<17 {
      let names = trainer.step(tinyBatch(UInt64(step))).map(\.name)
      if names.contains("Loss/pl_penalty") { path.append(step) }
      if names.contains("Loss/r1_penalty") { penalty.append(step) }
      #expect(names.contains("Loss/G/loss") && names.contains("Loss/D/loss"))
    }
    #expect(path == [0, 4, 8, 12, 16])
    #expect(penalty == [0, 16])
  }

  @Test func `augmentation changes what is learned, and adapts its strength`() throws {
    var augmented = tinyTrainer(seed: 3)
    let transforms = try #require(AugmentConfiguration(named: "bgc"))
    augmented.augmentation = AugmentationOptions(transforms, probability: 0.5, target: 0.6)
    let (with, without) = try (trainer(augmented), trainer(tinyTrainer(seed: 3)))
    var signs: [Double] = []
    for step in 0..<4 {
      let reports = with.step(tinyBatch(UInt64(step)))
      signs += reports.filter { $0.name == "Loss/signs/real" }
        .flatMap { $0.values.values(Double.self) }
      if step == 0 { _ = without.step(tinyBatch(0)) }
      if step == 0 { #expect(weights(with.discriminator) != weights(without.discriminator)) }
    }
    let rises = signs.reduce(0, +) / Double(signs.count) > 0.6
    expectClose(with.augmentProbability, 0.5 + (rises ? 1 : -1) * 16 / 500_000, rtol: 1e-12)
    #expect(without.augmentProbability == 0)
  }

  @Test func `frozen layers of the discriminator stay, the others move`() throws {
    var frozen = tinyTrainer(seed: 3)
    frozen.frozenLayers = 5
    let trainer = try trainer(frozen)
    func layers() -> [String: [Float]] {
      let state = trainer.discriminator.state.filter { !$0.name.hasSuffix("filter") }
      return Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.tensor.floats) })
    }
    let before = layers()
    _ = trainer.step(tinyBatch(0))
    let still = layers().filter { before[$0.key] == $0.value }.keys.sorted()
    #expect(
      still == [
        "b16.conv0.bias", "b16.conv0.weight", "b16.conv1.bias", "b16.conv1.weight",
        "b16.fromrgb.bias", "b16.fromrgb.weight", "b16.skip.weight", "b8.conv0.bias",
        "b8.conv0.weight",
      ]
    )
    let free = try self.trainer(tinyTrainer(seed: 3)).discriminator.state.map(\.name)
      .filter { !$0.hasSuffix("filter") }
    #expect(Set(before.keys) == Set(free))
  }

  @Test func `training holds no more tensors after many steps than after few`() throws {
    let trainer = try trainer(tinyTrainer(seed: 3))
    for step in 0..<4 { _ = trainer.step(tinyBatch(UInt64(step))) }
    let before = Runtime.liveTensors
    for step in 4..<12 { _ = trainer.step(tinyBatch(UInt64(step))) }
    // Other suites run at the same time, so the count is compared with what eight steps would leak.
    #expect(Runtime.liveTensors < before + 5_000)
  }
}

@Suite("Adaptive augmentation")
struct AdaptiveAugmentationTests {
  private func adaptive(kimg: Double = 500) throws -> AdaptiveProbability {
    var options = AugmentationOptions(
      try #require(AugmentConfiguration(named: "bgc")),
      target: 0.6
    )
    options.adaptationKimg = kimg
    return AdaptiveProbability(options)
  }

  @Test func `the augmentation probability rises every four steps while signs exceed the target`()
    throws
  {
    var p = try adaptive()
    for step in 1...8 {
      p.observe(Tensor([1, 1, 1, 0] as [Float]))  // mean 0.75
      p.update(steps: step, batchSize: 16)
      // 16 images · 4 steps / 500,000 images
      #expect(p.value == Double(step / 4) * 0.000128)
    }
  }

  @Test func `p falls where signs stay below the target, but not below zero`() throws {
    var p = try adaptive(kimg: 100)
    p.observe(Tensor([1, 1, 1, 1] as [Float]))
    p.update(steps: 4, batchSize: 16)
    #expect(p.value == 0.00064)
    for step in [8, 12] {
      p.observe(Tensor([1, 1, -1, -1] as [Float]))
      p.update(steps: step, batchSize: 16)
      #expect(p.value == 0)
    }
  }

  @Test func `signs before the last adaptation no longer count`() throws {
    var p = try adaptive()
    p.observe(Tensor([Float](repeating: 1, count: 100)))
    p.update(steps: 4, batchSize: 16)
    p.observe(Tensor([-1] as [Float]))
    p.update(steps: 8, batchSize: 16)
    #expect(p.value == 0)
  }

  @Test func `a fixed probability stays`() throws {
    var p = AdaptiveProbability(
      AugmentationOptions(try #require(AugmentConfiguration(named: "blit")), probability: 0.3)
    )
    p.observe(Tensor([1] as [Float]))
    p.update(steps: 4, batchSize: 16)
    #expect(p.value == 0.3 && p.signs.isEmpty)
  }
}

@Suite("Running statistics")
struct RunningStatisticsTests {
  @Test func `number, mean and deviation are those of the reported values`() throws {
    var statistics = RunningStatistics()
    statistics.report("a", [1, 2])
    statistics.report("b", [7])
    statistics.report("a", [3, 6])
    let summaries = statistics.summaries
    #expect(summaries.map(\.name) == ["a", "b"])
    #expect(summaries[0].summary.num == 4)
    #expect(summaries[0].summary.mean == 3)
    expectClose(summaries[0].summary.std, 3.5.squareRoot(), rtol: 1e-12)
    #expect(summaries[1].summary == RunningStatistics.Summary(num: 1, mean: 7, std: 0))
    #expect(
      statistics.line(timestamp: 5)
        == "{\"a\": {\"num\": 4, \"mean\": 3.0, \"std\": 1.8708286933869707}, "
        + "\"b\": {\"num\": 1, \"mean\": 7.0, \"std\": 0.0}, \"timestamp\": 5.0}"
    )
  }

  @Test func `what is not finite is written as Python's json writes it`() throws {
    var statistics = RunningStatistics()
    statistics.report("x", [.nan])
    #expect(statistics.line(timestamp: 0).contains("\"mean\": NaN"))
  }
}

@Suite("Pictures and tensors")
struct ImageTensorTests {
  @Test func `values are cut off, shifted and truncated as the original does`() throws {
    let x = Tensor(
      [-2, -1, -0.999, 0, 0.5, 1, 2, 0.25, 0.1, 0, 0, 0] as [Float],
      shape: [1, 3, 2, 2]
    )
    let picture = pictures(x)[0]
    #expect(picture.width == 2 && picture.height == 2)
    // Channel by channel: red −2, −1, −0.999, 0; green 0.5, 1, 2, 0.25; blue 0.1, 0, 0, 0.
    #expect(picture.pixels == [0, 191, 140, 0, 255, 128, 0, 255, 128, 128, 159, 128])
  }

  @Test func `a picture survives the way to a tensor and back`() throws {
    let values = (0..<48).map { UInt8($0 * 5) }
    let tensor = Tensor(values, shape: [1, 4, 4, 3]).permuted(0, 3, 1, 2).to(.float32) / 127.5 - 1
    let back = pictures(tensor)[0].pixels
    for (a, b) in zip(values, back) { #expect(abs(Int(a) - Int(b)) <= 1) }
  }
}
