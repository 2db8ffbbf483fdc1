import Networks
import Testing
import Torch
import TorchNN

@testable import Training

@Suite struct VisionAidedTests {
  /// A classifier with weights of its own, as none is at hand everywhere.
  static func classifier() -> EfficientNetLite0 {
    let network = EfficientNetLite0(random: SeededRandom(seed: 21))
    network.setTrainable(false)
    return network
  }

  private func trainer(
    weight: Double = 0.25,
    warmup: Double = 0,
    _ change: (inout TrainerConfiguration) -> Void = { _ in }
  ) throws -> Trainer {
    var shape = tinyTrainer(seed: 3)
    shape.losses.visionAidedWeight = weight
    shape.losses.visionAidedWarmup = warmup
    change(&shape)
    return Trainer(try tinyInputs(shape, classifier: Self.classifier()))
  }

  private func vision(_ trainer: Trainer) throws -> VisionAid {
    try #require(trainer.context.vision)
  }

  @Test func `maps of all blocks end in the features`() {
    let network = Self.classifier()
    let images = SeededRandom(seed: 1).uniform([2, 3, 64, 64]) * 255
    let maps = network.maps(images, after: [3, 5, 11])
    #expect(maps.map(\.shape) == [[2, 24, 16, 16], [2, 40, 8, 8], [2, 112, 4, 4]])
    #expect(network.maps(images, after: [5])[0].floats == maps[1].floats)
  }

  @Test func `features are normalised by the first real images of all ranks`() throws {
    let heads = VisionAidedDiscriminator(
      Self.classifier(),
      featureDimension: 8,
      random: SeededRandom(seed: 1)
    )
    #expect(!heads.isPrepared)
    let images = SeededRandom(seed: 2).uniform([6, 3, 16, 16]) * 2 - 1
    heads.prepare(with: images) { $0 }
    #expect(heads.isPrepared)
    let state = Dictionary(uniqueKeysWithValues: heads.state.map { ($0.name, $0.tensor) })
    let mean = try #require(state["heads.0.mean"])
    let deviation = try #require(state["heads.0.deviation"])
    let level = Self.classifier().maps(
      (images.bilinear(height: 64, width: 64) + 1) * 127.5,
      after: [3]
    )[0]
    let rows = level.permuted(1, 0, 2, 3).contiguous().reshaped(24, -1)
    for channel in 0..<24 {
      let values = rows.sliced(0, channel..<channel + 1).floats.map(Double.init)
      let expected = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - expected) * ($1 - expected) }
      #expect(abs(Double(mean.floats[channel]) - expected) < 1e-4)
      let own = Double(deviation.floats[channel])
      #expect(abs(own - (variance / Double(values.count) + 1e-3).squareRoot()) < 1e-3)
    }
    // Two ranks with half of the images each, whose rows are gathered.
    let other = VisionAidedDiscriminator(
      Self.classifier(),
      featureDimension: 8,
      random: SeededRandom(seed: 1)
    )
    var first: [Tensor] = []
    other.prepare(with: images.sliced(0, 0..<3)) { rows in
      first.append(rows)
      return rows
    }
    var next = 0
    other.prepare(with: images.sliced(0, 3..<6)) { rows in
      defer { next += 1 }
      return .concatenated([first[next], rows], 0)
    }
    for (own, expected) in zip(other.state, heads.state) {
      let difference = (own.tensor.detached() - expected.tensor.detached()).magnitude()
      #expect(difference.reshaped(-1).largest(0).item < 1e-4, "\(own.name)")
    }
  }

  @Test func `its losses are hinges of the logits`() throws {
    let trainer = try trainer()
    let batch = tinyBatch(1)
    trainer.setVisionAid(batch)
    let (context, vision) = (trainer.context, try vision(trainer))
    let c = context.conditioning(batch, random: SeededRandom(seed: 2))
    let painted = context.generated(
      SeededRandom(seed: 4).normal([4, 8]),
      c.condition,
      random: SeededRandom(seed: 5)
    )
    func logits(_ images: Tensor) -> [[Float]] {
      vision.discriminator(images, fts: c.features).map(\.floats)
    }
    func mean(_ maps: [[Float]], _ loss: (Float) -> Float) -> Float {
      maps.reduce(0) { $0 + $1.map(loss).reduce(0, +) / Float($1.count) } / Float(maps.count)
    }
    let loss = context.visionAidedLoss(
      vision,
      batch: batch,
      generated: painted,
      conditioning: c,
      random: SeededRandom(seed: 6)
    )
    let expected =
      mean(logits(batch.images)) { max(0, 1 - $0) }
      + mean(logits(painted.images)) { max(0, 1 + $0) }
    #expect(abs(Float(loss.total.item) - expected) < 1e-4)
    let term = context.visionAidedTerm(
      painted.images,
      c.condition,
      random: SeededRandom(seed: 6)
    )
    let judged = try #require(term)
    #expect(judged.shape == [4, 1])
    #expect(abs(Float(judged.mean().item) + 0.25 * mean(logits(painted.images)) { $0 }) < 1e-4)
  }

  @Test func `the condition counts`() throws {
    let trainer = try trainer()
    let batch = tinyBatch(1)
    trainer.setVisionAid(batch)
    let heads = try vision(trainer).discriminator
    let a = heads(batch.images, fts: batch.textFeatures)
    let b = heads(batch.images, fts: batch.imageFeatures)
    for (a, b) in zip(a, b) { #expect(a.floats != b.floats) }
  }

  @Test func `the heads learn to tell generated images, the classifier stays as it is`() throws {
    let trainer = try trainer(weight: 0.1)
    let batch = tinyBatch(1)
    var losses: [Double] = []
    for _ in 0..<12 {
      let reports = trainer.step(batch)
      let values = ["Loss/vision/real", "Loss/vision/fake"].compactMap { name in
        reports.first { $0.name == name }?.values.mean().item
      }
      #expect(values.count == 2)
      losses.append(values.reduce(0, +))
    }
    #expect((losses.last ?? 9) < 0.7 * losses[0], "\(losses)")
    let names = Set(trainer.stateTensors.map(\.name))
    #expect(names.contains("D_vision.heads.2.deviation"))
    #expect(names.contains("D_opt.first.vision.heads.0.narrow.weight"))
    #expect(!names.contains { $0.contains("_blocks") })
  }

  @Test func `the generator follows it after the warm-up only`() throws {
    func moved(_ weight: Double, imagesSeen: Int) throws -> [Float] {
      let trainer = try trainer(weight: weight, warmup: 1)
      trainer.imagesSeen = imagesSeen
      _ = trainer.step(tinyBatch(1))
      return trainer.generator.parameters[3].floats
    }
    for images in [0, 1000] {
      #expect(try moved(5, imagesSeen: images) == moved(0.1, imagesSeen: images))
    }
    #expect(try moved(5, imagesSeen: 1500) != moved(0.1, imagesSeen: 1500))
    var configuration = tinyTrainer(seed: 0)
    configuration.losses.visionAidedWeight = 3
    configuration.losses.visionAidedWarmup = 2
    let weights = [0, 2000, 3000, 4000, 1 << 40].map {
      configuration.visionAidedWeight(imagesSeen: $0)
    }
    #expect(weights == [0, 0, 1.5, 3, 3])
    // It learns nothing while the generator warms up by pairs, if it does.
    configuration.losses.pairedWarmup = 10
    #expect(configuration.visionAidedWeight(imagesSeen: 3000) == 1.5)
    configuration.losses.pairedWeight = 1
    #expect(
      [3000, 12_000, 13_000, 14_000].map { configuration.visionAidedWeight(imagesSeen: $0) }
        == [0, 0, 1.5, 3]
    )
    configuration.losses.visionAidedWarmup = 0
    #expect(configuration.visionAidedWeight(imagesSeen: 0) == 3)
  }

  @Test func `a run that was interrupted goes on in every bit`() throws {
    func make() throws -> Trainer {
      try trainer {
        $0.losses.diffAugment = DiffAugment()
        $0.reusesFakes = true
      }
    }
    let (whole, begun) = (try make(), try make())
    for step in 0..<2 {
      for trainer in [whole, begun] { _ = trainer.step(tinyBatch(UInt64(step))) }
    }
    let state = Dictionary(
      uniqueKeysWithValues: begun.stateTensors.map { ($0.name, $0.tensor.detached().copy()) }
    )
    let continued = try make()
    try continued.restore(begun.progress) { state[$0] }
    for trainer in [whole, continued] { _ = trainer.step(tinyBatch(2)) }
    for (own, expected) in zip(continued.stateTensors, whole.stateTensors) {
      #expect(own.tensor.floats == expected.tensor.floats, "\(own.name)")
    }
  }

  @Test func `gradients of the loss are right in float64`() throws {
    let network = Self.classifier()
    let heads = VisionAidedDiscriminator(
      network,
      featureDimension: 4,
      random: SeededRandom(seed: 1)
    )
    let random = SeededRandom(seed: 2)
    let images = (random.uniform([1, 3, 64, 64]) * 2 - 1)
    heads.prepare(with: images) { $0 }
    network.convert(to: .float64)
    heads.convert(to: .float64)
    let (x, c) = (images.to(.float64), random.normal([1, 4]).to(.float64))
    func value(_ x: Tensor) -> Tensor {
      heads(x, fts: c).reduce(Tensor.zeros([]).to(.float64)) { $0 + $1.mean() }
    }
    let leaf = x.detached().copy()
    leaf.requiresGradient = true
    let slope = try #require(gradients(of: [value(leaf)], withRespectTo: [leaf])[0])
    let direction = random.normal([1, 3, 64, 64]).to(.float64)
    let step = 1e-6
    let numeric =
      (value(x + direction * step).item - value(x - direction * step).item) / (2 * step)
    let analytic = (slope * direction).sum().item
    #expect(abs(numeric - analytic) < 1e-4 * max(1, abs(analytic)), "\(numeric) \(analytic)")
  }
}
