import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Distributed
@testable import Training

@Suite("Slices of a step")
struct ShareTests {
  @Test func `the slices of a step joined are the step`() {
    let whole = SeededRandom(seed: 1).normal([12, 2, 3])
    for count in [1, 2, 3, 4] {
      let slices = (0..<count).map { BatchSlice($0, of: count).rows(of: whole) }
      #expect(slices.allSatisfy { $0.shape == [12 / count, 2, 3] })
      #expect(BatchSlice.joined(slices).floats == whole.floats)
    }
    let numbers = Tensor((0..<6).map(Float.init))
    #expect(BatchSlice(1, of: 3).rows(of: numbers).floats == [1, 4])
  }

  @Test func `the rounds of all ranks cover all images`() {
    let numbers = Tensor((0..<12).map(Float.init))
    var seen: [Float] = []
    for rank in 0..<2 {
      let own = BatchSlice(rank, of: 2)
      for round in 0..<3 {
        let rows = own.round(round, of: 3).rows(of: numbers).floats
        #expect(rows == BatchSlice(round, of: 3).rows(of: own.rows(of: numbers)).floats)
        seen += rows
      }
    }
    #expect(seen.sorted() == numbers.floats)
  }

  @Test func `a slice takes its rows of the step's random draws`() {
    func draws(_ random: any RandomSource, _ rows: Int) -> [Tensor] {
      [
        random.normal([rows, 4]), random.uniform([]), random.uniform([rows, 1, 2]),
        Tensor([Float(random.integer(in: 0..<1000))]), random.normal([rows]),
      ]
    }
    let whole = draws(SeededRandom(seed: 5), 6)
    let slices = (0..<3).map {
      draws(SlicedRandom(SeededRandom(seed: 5), BatchSlice($0, of: 3)), 2)
    }
    for index in [0, 2, 4] {
      #expect(BatchSlice.joined(slices.map { $0[index] }).floats == whole[index].floats)
    }
    for slice in slices {
      #expect(slice[1].item == whole[1].item && slice[3].item == whole[3].item)
    }
  }
}

/// Ranks as threads of one process.
@Suite("Ranks that train together", .serialized)
struct RanksTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    var ranks: Int
    var logit: FeatureLogit
    var form: ContrastiveForm
    var classes: Int?
    /// Whether every loss beyond LAFITE's is on.
    var isRich = false
    var isVisionAided = false
    var testDescription: String {
      "\(ranks) ranks, \(logit), \(form)" + (classes.map { ", \($0) classes" } ?? "")
        + (isRich ? ", all losses" : "")
        + (isVisionAided ? ", vision-aided" : "")
    }
  }

  static let settings = [
    Setting(ranks: 2, logit: .batchSum, form: .lafite),
    Setting(ranks: 3, logit: .batchSum, form: .infonce),
    Setting(ranks: 3, logit: .perSample, form: .lafite),
    Setting(ranks: 2, logit: .batchSum, form: .lafite, classes: 2),
    Setting(ranks: 3, logit: .perSample, form: .infonce, classes: 4),
    Setting(ranks: 2, logit: .batchSum, form: .infonce, classes: 2, isRich: true),
    Setting(ranks: 3, logit: .perSample, form: .lafite, isRich: true),
    Setting(ranks: 2, logit: .perSample, form: .infonce, isVisionAided: true),
    Setting(ranks: 3, logit: .batchSum, form: .lafite, isVisionAided: true),
  ]

  private static func configuration(_ setting: Setting) -> TrainerConfiguration {
    var result = tinyTrainer(seed: 3, batchSize: 12)
    result.discriminator.minibatchGroup = 2
    result.discriminator.featureLogit = setting.logit
    result.losses.contrastive = setting.form
    result.generator.labelDimension = setting.classes
    result.discriminator.labelDimension = setting.classes
    result.losses.iid = 3
    result.losses.iic = 2
    result.losses.mixingProb = 0.5
    if setting.isRich {
      result.losses.adversarial = .relativistic
      result.losses.generatedGamma = 3
      result.losses.mismatchWeight = 0.5
      result.losses.anchorWeight = 0.3
      result.losses.clipViews = 2
      result.losses.diffAugment = DiffAugment()
    }
    if setting.isVisionAided { result.losses.visionAidedWeight = 0.5 }
    return result
  }

  /// Gradients of all phases, the path length's mean and its running one, from one state.
  private static func gradients(_ setting: Setting, _ ranks: Ranks) throws -> [[Float]] {
    var shape = configuration(setting)
    // The warm-up by pairs has no other loss.
    shape.losses.pairedWeight = 1
    let random = SeededRandom(seed: 1)
    // In float64: a unit that is nearly 0 would round to the other side of its kink in float32.
    let classifier = setting.isVisionAided ? VisionAidedTests.classifier() : nil
    classifier?.convert(to: .float64)
    let context = LossContext(
      try tinyInputs(
        shape,
        classifier: classifier,
        ranks: ranks
      ),
      generator: Generator(shape.generator, random: random),
      discriminator: Discriminator(shape.discriminator, random: random)
    )
    if let vision = context.vision {
      vision.weight = 0.5
      vision.discriminator.convert(to: .float64)
      let images = tinyBatch(2, size: 12, classes: setting.classes).rows(of: ranks.slice).images
      vision.discriminator.prepare(with: images, gathering: ranks.gathered)
    }
    var results: [[Float]] = []
    for phase in Phase.allCases {
      let draws = SlicedRandom(SeededRandom(seed: 7), ranks.slice)
      let mean = Tensor([Float(0.5)], shape: [])
      let result = phaseGradients(
        phase,
        context,
        batch: tinyBatch(2, size: 12, classes: setting.classes).rows(of: ranks.slice),
        z: draws.normal([12 / ranks.count, 8]),
        meanPathLength: mean,
        gain: 2,
        random: draws
      )
      let shared = ranks.means(result.gradients + [context.generator.mapping.wAverage])
      results += shared.map(\.floats) + [mean.floats]
      // Each phase begins with the same mean of w.
      withoutGradients { context.generator.mapping.wAverage.assign(.zeros([8])) }
    }
    return results
  }

  @Test(arguments: settings)
  func `the gradients of every phase are those of one process`(setting: Setting) async throws {
    let alone = try Self.gradients(setting, .alone)
    let together = try await inRanks(setting.ranks) { group in
      let ranks = Ranks(group)
      let result = try Self.gradients(setting, ranks)
      try ranks.check()
      return result
    }
    for result in together {
      #expect(result == together[0])
      try #require(result.count == alone.count)
      for (own, expected) in zip(result, alone) {
        let scale = expected.reduce(1e-3) { max($0, abs($1)) }
        let worst = zip(own, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let bound: Float = setting.isRich || setting.isVisionAided ? 1e-4 : 2e-5
        #expect(worst < bound * scale, "\(worst) of \(scale)")
      }
    }
  }

  /// Means of the losses of each step, and all weights at the end.
  private static func run(
    _ configuration: TrainerConfiguration,
    _ ranks: Ranks,
    steps: Int,
    withoutAverage: Bool = false
  ) throws -> (losses: [[Double]], weights: [Float]) {
    let trainer = Trainer(try tinyInputs(configuration, ranks: ranks))
    let losses = (0..<steps).map { step in
      trainer.step(tinyBatch(UInt64(step), size: 12).rows(of: ranks.slice)).map { report in
        ranks.gathered(report.values.reshaped(-1)).mean().item
      }
    }
    let weights = [trainer.generator.state, trainer.discriminator.state, trainer.average.state]
      .flatMap { $0 }.filter { !withoutAverage || !$0.name.hasSuffix("w_avg") }
    return (losses, weights.flatMap(\.tensor.floats))
  }

  @Test(arguments: [2, 3])
  func `several processes see the losses of one`(count: Int) async throws {
    var configuration = Self.configuration(Self.settings[0])
    let transforms = try #require(AugmentConfiguration(named: "bg"))
    configuration.augmentation = AugmentationOptions(transforms, probability: 0.3, target: 0.6)
    let shared = configuration
    let alone = try Self.run(shared, .alone, steps: 6)
    let together = try await inRanks(count) { group in
      let ranks = Ranks(group)
      let result = try Self.run(shared, ranks, steps: 6)
      try ranks.check()
      return result
    }
    for result in together {
      #expect(result.weights == together[0].weights)
      for (own, expected) in zip(result.losses.joined(), alone.losses.joined()) {
        expectClose(own, expected, rtol: 5e-3, atol: 5e-3)
      }
    }
    #expect(alone.losses.count == 6)
  }

  @Test func `rounds need less at once and differ only where a batch is looked at as one`() throws {
    var configuration = Self.configuration(Self.settings[2])
    configuration.losses.itd = 0
    configuration.losses.itc = 0
    configuration.losses.iid = 0
    configuration.losses.iic = 0
    configuration.generatorRegularisationInterval = nil
    var inRounds = configuration
    inRounds.rounds = 3
    let (one, three) = try (
      Self.run(configuration, .alone, steps: 1), Self.run(inRounds, .alone, steps: 1)
    )
    let means = { (losses: [Double], rounds: Int) in
      (0..<losses.count / rounds).map { name in
        (0..<rounds).reduce(0) { $0 + losses[$1 * losses.count / rounds + name] } / Double(rounds)
      }
    }
    // The generator's phase comes first, before any weight has moved.
    for (own, expected) in zip(means(Array(three.losses[0].prefix(9)), 3), one.losses[0].prefix(3))
    {
      expectClose(own, expected, rtol: 1e-5, atol: 1e-6)
    }
  }

  @Test func `rounds give the gradients of the whole batch where no loss couples its images`()
    throws
  {
    var configuration = Self.configuration(Self.settings[2])
    configuration.losses.itd = 0
    configuration.losses.itc = 0
    configuration.losses.iid = 0
    configuration.losses.iic = 0
    configuration.discriminator.featureLogit = .perSample
    // The path length moves its mean once a round.
    configuration.generatorRegularisationInterval = nil
    // So large an epsilon makes Adam's step a multiple of the gradient.
    for optimizer in [\TrainerConfiguration.generatorOptimizer, \.discriminatorOptimizer] {
      configuration[keyPath: optimizer].epsilon = 1e6
      configuration[keyPath: optimizer].learningRate = 1e4
    }
    var inRounds = configuration
    inRounds.rounds = 3
    // The mean of w moves once a round, too, as in the original.
    func weights(_ configuration: TrainerConfiguration, steps: Int) throws -> [Float] {
      try Self.run(configuration, .alone, steps: steps, withoutAverage: true).weights
    }
    let start = try weights(configuration, steps: 0)
    let (whole, rounds) = try (weights(configuration, steps: 1), weights(inRounds, steps: 1))
    func length(_ pairs: Zip2Sequence<[Float], [Float]>) -> Float {
      pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let apart = length(zip(rounds, whole)) / length(zip(whole, start))
    #expect(apart < 1e-3, "\(apart)")
  }

  @Test func `ranks of different speed synchronise, and a silent one is named`() async throws {
    let said = try await inRanks(3, timeout: .seconds(2)) { group -> String in
      let ranks = Ranks(group, patience: 2)
      // Longer than any of them may be silent.
      if ranks.rank == 1 { Thread.sleep(forTimeInterval: 3) }
      try ranks.barrier()
      if ranks.rank == 0 {
        ranks.whileOthersWait { Thread.sleep(forTimeInterval: 3) }
      } else {
        #expect(try ranks.nextCommand() == .wait)
        try ranks.waitForFirst()
      }
      _ = ranks.allReduceSum(Tensor([Float(1)]))
      try ranks.check()
      // Rank 2 hangs now, while rank 0 works alone.
      if ranks.rank == 2 { ranks.heartbeat?.stop() }
      if ranks.rank > 0 {
        Thread.sleep(forTimeInterval: 5)
        return ""
      }
      ranks.heartbeat?.watch([1, 2])
      let deadline = ContinuousClock.now + .seconds(4)
      while ranks.heartbeat?.verdict == nil, ContinuousClock.now < deadline { usleep(10_000) }
      do { try ranks.check() } catch { return "\(error)" }
      return "nothing noticed"
    }
    #expect(
      said[0] == "rank 2 died or hangs, or the network is cut, seen by rank 0: "
        + "not heard of for 2 seconds"
    )
  }

  @Test func `rank 0 reports its failure before it exits`() async throws {
    let said = try await inRanks(2, timeout: .seconds(5)) { group -> String in
      let ranks = Ranks(group, patience: 5)
      do {
        try ranks.explaining {
          if ranks.rank == 0 { throw TrainingError.stopped("the disk is full") }
          _ = try ranks.nextCommand()
        }
      } catch { return "\(error)" }
      return "nothing noticed"
    }
    #expect(said == ["the disk is full", "rank 0 stopped: the disk is full"])
  }

  @Test func `a stopped rank is named with its reason, a dead one without`() async throws {
    for (reason, expected) in [
      ("no space left on the disk", "rank 1 stopped: no space left on the disk"),
      (
        nil,
        "rank 1 died or hangs, or the network is cut, seen by rank 0: rank 0 of 2 cannot sum with the others: "
      ),
    ] as [(String?, String)] {
      let said = try await inRanks(2, timeout: .seconds(5)) { group -> String in
        let ranks = Ranks(group)
        _ = ranks.allReduceSum(Tensor([Float(1)]))
        if ranks.rank == 1 {
          if let reason { ranks.publish(reason) }
          return ""
        }
        let own = Tensor([Float(2)])
        #expect(ranks.means([own]).map(\.floats).count == 1)
        do { try ranks.check() } catch { return "\(error)" }
        return "nothing noticed"
      }
      #expect(said[0].hasPrefix(expected), "\(said[0])")
      #expect(!said[0].contains("\n"))
    }
  }
}
