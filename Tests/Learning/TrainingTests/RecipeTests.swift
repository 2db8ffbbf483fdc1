import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Training

/// Options that learn more from the same images than LAFITE's own.
@Suite("Recipes")
struct RecipeTests {
  private func applied(_ given: [TrainingArguments.Given]) throws -> TrainerConfiguration {
    var options = TrainingOptions.automatic(
      resolution: 64,
      featureDimension: 512,
      reducedPrecision: true
    )
    try TrainingArguments(given).apply(to: &options)
    return options.trainer
  }

  @Test func `LAFITE's recipe is what a run does that names none`() throws {
    #expect(try applied([.init(.recipe, Recipe.lafite)]) == applied([]))
    #expect(try applied([]).textLearningRateMultiplier == 0.01)
    #expect(try !applied([]).reusesFakes)
  }

  @Test func `a recipe sets its options, and flags beside it count more`() throws {
    let both = try applied([.init(.recipe, Recipe.nifty)])
    #expect(both.textLearningRateMultiplier == 1 && both.reusesFakes)
    let mixed = try applied([
      .init(.recipe, Recipe.nifty), .init(.textMultiplier, 0.1), .init(.batch, 8),
    ])
    #expect(mixed.textLearningRateMultiplier == 0.1 && mixed.reusesFakes && mixed.batchSize == 8)
  }

  @Test func `the layers that read the text are those with LAFITE's small multiplier`() {
    let generator = Generator(tinyTrainer(seed: 1).generator, random: SeededRandom(seed: 1))
    // Their weights are drawn from N(0, 1 / 0.01²), all others from N(0, 1); w's mapping is small, too.
    let spread = generator.namedParameters.filter { entry in
      entry.name.hasSuffix("weight") && entry.tensor.detached().magnitude().mean().item > 10
        && !entry.name.hasPrefix("mapping")
    }
    let own = generator.namedParameters.filter { TextLayers.contain($0.name) }
    #expect(
      Set(own.map(\.name)) == Set(spread.flatMap { [$0.name, $0.name.dropLast(6) + "bias"] })
    )
    #expect(!own.isEmpty)
  }

  @Test func `a text layer of multiplier 1 moves a hundred times as far`() throws {
    func moved(_ multiplier: Double) throws -> [String: Float] {
      var configuration = tinyTrainer(seed: 3)
      configuration.textLearningRateMultiplier = multiplier
      let trainer = Trainer(try tinyInputs(configuration))
      let before = trainer.generator.namedParameters.map { $0.tensor.detached().floats }
      _ = trainer.step(tinyBatch(1))
      let pairs = zip(trainer.generator.namedParameters, before)
      return Dictionary(
        uniqueKeysWithValues: pairs.map { entry, before in
          let moves = zip(entry.tensor.detached().floats, before).map { abs($0 - $1) }
          return (entry.name, moves.max() ?? 0)
        }
      )
    }
    let (slow, full) = (try moved(0.01), try moved(1))
    for (name, distance) in slow where distance > 0 {
      let ratio = try #require(full[name]) / distance
      if TextLayers.contain(name) {
        #expect(ratio > 50, "\(name)")
      }
    }
    #expect(slow.keys.contains { TextLayers.contain($0) && (slow[$0] ?? 0) > 0 })
  }

  @Test func `the discriminator sees the generator's own images where they are reused`() throws {
    // Without style mixing, path length and R1, the draws of D's phase only paint its images.
    func trainer(reuses: Bool, otherDraws: Bool) throws -> [Float] {
      var configuration = tinyTrainer(seed: 5)
      configuration.reusesFakes = reuses
      configuration.generatorRegularisationInterval = nil
      configuration.discriminatorRegularisationInterval = nil
      configuration.losses.textNoise = 0
      let trainer = Trainer(
        try tinyInputs(configuration),
        randomness: { phase, images in
          SeededRandom(
            seed: otherDraws && phase == .discriminatorMain ? 99 : 5,
            stream: phase.randomStream,
            position: UInt64(images)
          )
        }
      )
      _ = trainer.step(tinyBatch(1))
      return trainer.discriminator.parameters.flatMap { $0.detached().floats }
    }
    #expect(try trainer(reuses: true, otherDraws: false) == trainer(reuses: true, otherDraws: true))
    #expect(
      try trainer(reuses: false, otherDraws: false) != trainer(reuses: false, otherDraws: true)
    )
  }

  @Test func `rounds reuse the images of their own part`() throws {
    func discriminator(rounds: Int) throws -> [Float] {
      var configuration = tinyTrainer(seed: 6, batchSize: 8)
      configuration.reusesFakes = true
      configuration.rounds = rounds
      configuration.discriminator.minibatchGroup = 1
      configuration.losses.itd = 0
      configuration.losses.itc = 0
      configuration.discriminator.featureLogit = .perSample
      configuration.generatorRegularisationInterval = nil
      configuration.discriminatorRegularisationInterval = nil
      let trainer = Trainer(try tinyInputs(configuration))
      _ = trainer.step(tinyBatch(1, size: 8))
      return trainer.discriminator.parameters.flatMap { $0.detached().floats }
    }
    let (whole, parts) = (try discriminator(rounds: 1), try discriminator(rounds: 2))
    // Adam's first step is ±α: where a gradient is nearly zero, its sign may differ.
    let apart = zip(whole, parts).filter { abs($0 - $1) > 1e-5 }
    #expect(Double(apart.count) < 0.02 * Double(whole.count))
  }
}
