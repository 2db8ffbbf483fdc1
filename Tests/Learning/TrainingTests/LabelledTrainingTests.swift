import Datasets
import Distributed
import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// Training with class labels.
@Suite("Training with class labels")
struct LabelledTrainingTests {
  private func configuration(classes: Int? = 3) -> TrainerConfiguration {
    var result = tinyTrainer(seed: 7)
    result.generator.labelDimension = classes
    result.discriminator.labelDimension = classes
    return result
  }

  private func batch(_ classes: [Int]) -> TrainingBatch {
    let plain = tinyBatch(3, size: classes.count)
    let rows = classes.flatMap { number in (0..<3).map { Float($0 == number ? 1 : 0) } }
    return TrainingBatch(
      images: plain.images,
      imageFeatures: plain.imageFeatures,
      textFeatures: plain.textFeatures,
      labels: Tensor(rows, shape: [classes.count, 3])
    )
  }

  /// The gradients of one phase by names.
  private func gradients(
    _ phase: Phase,
    _ trainer: Trainer,
    _ batch: TrainingBatch
  ) throws -> [String: Tensor] {
    let result = phaseGradients(
      phase,
      trainer.context,
      batch: batch,
      z: SeededRandom(seed: 2).normal([4, 8]),
      meanPathLength: .zeros([]),
      gain: 1,
      random: SeededRandom(seed: 4)
    )
    let network: any Module = phase.isGenerator ? trainer.generator : trainer.discriminator
    return Dictionary(
      uniqueKeysWithValues: zip(network.namedParameters.map(\.name), result.gradients)
    )
  }

  @Test(arguments: Phase.allCases)
  func `a phase moves the embedding of the classes of its batch, and of no others`(
    phase: Phase
  ) throws {
    var shape = configuration()
    // The warm-up has no other loss.
    shape.losses.pairedWeight = 1
    let trainer = Trainer(try tinyInputs(shape))
    let found = try gradients(phase, trainer, batch([0, 2, 0, 2]))
    let weight = try #require(found["mapping.embed.weight"])
    let columns = (0..<3).map { weight.selected(1, $0).floats.contains { $0 != 0 } }
    #expect(columns == [true, false, true], "\(phase)")
  }

  @Test func `rounds take the labels of their own images`() throws {
    func weights(rounds: Int) throws -> [Float] {
      var shape = configuration()
      // Whatever looks at the batch as one is off.
      shape.discriminator.minibatchGroup = 1
      shape.discriminator.featureLogit = .perSample
      shape.losses.itd = 0
      shape.losses.itc = 0
      shape.generatorRegularisationInterval = nil
      shape.discriminatorRegularisationInterval = nil
      shape.rounds = rounds
      let trainer = Trainer(try tinyInputs(shape))
      _ = trainer.step(batch([0, 1, 2, 1]))
      return (trainer.generator.parameters + trainer.discriminator.parameters)
        .flatMap { $0.detached().floats }
    }
    let (whole, parts) = (try weights(rounds: 1), try weights(rounds: 2))
    // Adam's first step is ±α: where a gradient is nearly zero, its sign may differ.
    let apart = zip(whole, parts).filter { abs($0 - $1) > 1e-5 }
    #expect(Double(apart.count) < 0.02 * Double(whole.count), "\(apart.count) of \(whole.count)")
  }

  private func labelledRun(_ label: @escaping (Int) -> ImageLabel) throws -> TinyRun {
    var tiny = try TinyRun()
    try TinyRun.pack(tiny.options.data[0], label: label)
    tiny.options.usesLabels = true
    tiny.options.trainer.generator.labelDimension = 3
    tiny.options.trainer.discriminator.labelDimension = 3
    tiny.options.scoresStart = false
    return tiny
  }

  @Test func `a run that was stopped and continued equals one that was not`() throws {
    let tiny = try labelledRun { .index($0 % 3) }
    let metric = SnapshotMetric("brightness") { generator, snapshot in
      let random = SeededRandom(seed: 2)
      let labels = Tensor([0, 1, 0] as [Float], shape: [1, 3])
      let value = generator(
        random.normal([1, 8]),
        fts: random.normal([1, tinyFeatureDimension]),
        labels: labels,
        noiseMode: .constant
      ).mean().item
      return .init(line: "{\"brightness\": \(value)}", value: value, prefersLarge: true)
    }
    let whole = try tiny.session(metrics: [metric])
    #expect(try whole.run() == .finished)
    let stop = StopRequest()
    var steps = 0
    let first = try tiny.session(stop: stop, metrics: [metric]) { event in
      guard case .progress = event else { return }
      steps += 1
      if steps == 5 { stop.request() }
    }
    #expect(try first.run() == .interrupted)
    let second = try tiny.session(continuing: first.folder.path, metrics: [metric])
    #expect(try second.run() == .finished)
    try tiny.record(whole.folder.path).expectEqual(tiny.record(second.folder.path), "continued")
    let snapshots = try FileManager.default.contentsOfDirectory(atPath: whole.folder.path)
      .filter { $0.hasPrefix("network-snapshot-") }
    let last = try NetworkSnapshot(path: "\(whole.folder.path)/\(try #require(snapshots.max()))")
    #expect(last.generator.labelDimension == 3 && last.discriminator?.labelDimension == 3)
  }

  @Test func `multi-labels train, too, and the first lines say how wide they are`() throws {
    let tiny = try labelledRun { .vector([Float($0 % 2), 0.5, Float($0 % 3)]) }
    var lines: [String] = []
    let run = try tiny.session(metrics: []) { event in
      if case .line(let text) = event { lines.append(text) }
    }
    try run.announce(continuing: false)
    #expect(try run.run() == .finished)
    #expect(lines.contains { $0.contains("class labels of 3 numbers") })
    #expect(run.trainer.generator.stateDictionary["mapping.embed.weight"]?.shape == [8, 3])
  }

  @Test(arguments: [(nil, 3), (3, nil), (4, 3)] as [(Int?, Int?)])
  func `a snapshot of other classes is refused, both named`(found: Int?, own: Int?) throws {
    try withTemporaryFolder { folder in
      let old = Trainer(try tinyInputs(configuration(classes: found)))
      let path = "\(folder)/network-snapshot-000001.safetensors"
      try NetworkSnapshot.write(
        to: path,
        networks: [
          (.generator, old.generator), (.discriminator, old.discriminator),
          (.average, old.average),
        ],
        generator: old.configuration.generator,
        discriminator: old.configuration.discriminator,
        imagesSeen: 1000
      )
      let shape = configuration(classes: own)
      var options = TrainingOptions(trainer: shape)
      options.resume = path
      let new = Trainer(try tinyInputs(shape))
      let error = #expect(throws: TrainingError.self) {
        try new.start(from: NetworkSnapshot(path: path), options)
      }
      let said = { (count: Int?) in
        count.map { "class labels of \($0) numbers" } ?? "no class labels"
      }
      let reason = try #require(error?.description)
      #expect(
        reason.contains("\(path) takes \(said(found)), the run takes \(said(own)); "),
        "\(reason)"
      )
    }
  }
}
