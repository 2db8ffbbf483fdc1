import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Training

@Suite("Warm-up by pairs")
struct PairedWarmupTests {
  private func trainer(_ change: (inout TrainerConfiguration) -> Void = { _ in }) throws -> Trainer
  {
    var shape = tinyTrainer(seed: 3)
    shape.losses.pairedWeight = 2
    shape.losses.pairedWarmup = 0.008  // two steps of four images
    change(&shape)
    return Trainer(try tinyInputs(shape))
  }

  private func values(_ tensors: [Tensor]) -> [[Float]] { tensors.map(\.floats) }

  @Test func `the generator alone learns until so many images were seen, then both do`() throws {
    let trainer = try trainer()
    let D = values(trainer.discriminator.parameters)
    for step in 0..<2 {
      let G = values(trainer.generator.parameters)
      let reports = trainer.step(tinyBatch(UInt64(step)))
      #expect(reports.map(\.name) == ["Loss/G/loss", "Loss/G/paired"])
      #expect(values(trainer.generator.parameters) != G)
      #expect(values(trainer.discriminator.parameters) == D)
      #expect(trainer.clock.takeSpans().map(\.name) == ["Gpaired", "average"])
    }
    let reports = trainer.step(tinyBatch(2)).map(\.name)
    #expect(reports.contains("Loss/scores/fake") && reports.contains("Loss/G/paired"))
    #expect(values(trainer.discriminator.parameters) != D)
  }

  @Test func `neither CLIP nor the discriminator plays a part in it`() throws {
    func state(_ change: (inout TrainerConfiguration) -> Void) throws -> [[Float]] {
      let trainer = try trainer(change)
      _ = trainer.step(tinyBatch(1))
      return values(trainer.generator.parameters)
    }
    let plain = try state { _ in }
    #expect(try state { ($0.losses.itc, $0.losses.itd) = (3, 100) } == plain)
    // Without the distance there is nothing to learn from: both learn from the first image on.
    var configuration = tinyTrainer(seed: 3)
    configuration.losses.pairedWarmup = 1
    #expect(!configuration.warmsUpByPairs(imagesSeen: 0))
    configuration.losses.pairedWeight = 1
    #expect(
      [0, 999, 1000].map { configuration.warmsUpByPairs(imagesSeen: $0) } == [true, true, false]
    )
  }

  @Test func `its loss is the weighted distance to the real images, in float64's gradient`() throws
  {
    let trainer = try trainer()
    let batch = tinyBatch(5)
    let loss = pairedLoss(
      trainer.context,
      batch: batch,
      conditioning: trainer.context.conditioning(batch, random: SeededRandom(seed: 2)),
      z: SeededRandom(seed: 3).normal([4, 8]),
      random: SeededRandom(seed: 4)
    )
    let painted = try #require(loss.reports.first { $0.name == "Loss/G/paired" }).values
    expectClose(loss.perSample.detached(), painted * 2, rtol: 1e-6, atol: 0)
    #expect(loss.perSample.shape == [4, 1])
  }

  @Test func `a run that was interrupted in it goes on in every bit`() throws {
    let (whole, begun) = (try trainer(), try trainer())
    for trainer in [whole, begun] { _ = trainer.step(tinyBatch(0)) }
    let state = Dictionary(
      uniqueKeysWithValues: begun.stateTensors.map { ($0.name, $0.tensor.detached().copy()) }
    )
    let continued = try trainer()
    try continued.restore(begun.progress) { state[$0] }
    for step in 1..<4 {
      for trainer in [whole, continued] { _ = trainer.step(tinyBatch(UInt64(step))) }
    }
    for (own, expected) in zip(continued.stateTensors, whole.stateTensors) {
      #expect(own.tensor.floats == expected.tensor.floats, "\(own.name)")
    }
  }

  @Test func `a run says until when it warms up, and no loss of a network that does not learn`()
    async throws
  {
    var tiny = try TinyRun(kimg: 0.056)
    tiny.options.trainer.losses.pairedWeight = 2
    tiny.options.trainer.losses.pairedWarmup = 0.032
    let announced = try tiny.session()
    try announced.announce(continuing: false)
    let lines = try String(contentsOfFile: announced.folder.file("log.txt"), encoding: .utf8)
    #expect(lines.contains("from the distance of --paired, until 0.032 kimg"))
    let folder = try tiny.run(stoppingAfter: [])
    let log = try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
    let ticks = log.split(separator: "\n").filter { $0.hasPrefix("tick ") }
    #expect(ticks.count == 3 && ticks.count { $0.contains("  D –  ") } == 2, "\(ticks)")
    #expect(ticks[0].contains("augment 0.100"))
    #expect(ticks.allSatisfy { !$0.contains(" nan") })
  }
}
