import Datasets
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Distributed
@testable import Training

/// The search for the images that a device computes at once.
@Suite("Search for the batch", .serialized)
struct BatchSearchTests {
  private func inputs(_ tiny: TinyRun, batch: Int, group: Int) throws -> StepInputs {
    var options = tiny.options
    options.trainer.batchSize = batch
    options.trainer.discriminator.minibatchGroup = group
    return StepInputs(
      options: options,
      data: try TrainingSet(options.data.map { try PackedDataset($0) }),
      clip: ImageTower(side: 16, encode: tinyEncoder()),
      device: .cpu
    )
  }

  @Test func `a step is cut into parts of whole groups`() {
    #expect(BatchSearch.candidates(batch: 16, group: 4) == [4, 8, 16])
    #expect(BatchSearch.candidates(batch: 12, group: 2) == [2, 4, 6, 12])
    #expect(BatchSearch.candidates(batch: 6, group: 1) == [1, 2, 3, 6])
    #expect(BatchSearch.candidates(batch: 6, group: 6) == [6])
  }

  @Test func `more images are said to take no less than they will`() {
    #expect(BatchSearch.forecast(peak: 300, base: 100, images: 4, next: 8) == 500)
    #expect(BatchSearch.forecast(peak: 100, base: 200, images: 4, next: 16) == 100)
  }

  @Test func `the step that is tried is none that warms up`() throws {
    var options = try TinyRun().options
    options.trainer.batchSize = 8
    (options.trainer.losses.pairedWeight, options.trainer.losses.pairedWarmup) = (1, 3)
    (options.trainer.losses.visionAidedWeight, options.trainer.losses.visionAidedWarmup) = (1, 3)
    let trial = BatchSearch.trial(options, images: 2).trainer
    #expect(trial.rounds == 4 && !trial.warmsUpByPairs(imagesSeen: 0))
    #expect(trial.visionAidedWeight(imagesSeen: 0) == 1)
  }

  @Test func `with room for all the whole step is computed at once, and each attempt is told`()
    throws
  {
    let tiny = try TinyRun()
    var lines: [String] = []
    let search = try BatchSearch(
      inputs(tiny, batch: 8, group: 2),
      limit: .init(bytes: 1 << 40, reason: "a test"),
      say: { lines.append($0) }
    )
    #expect(try search.rounds() == 1)
    #expect(lines.count == 4, "\(lines)")
    #expect(lines[0].hasPrefix("--batch-gpu=auto: 2 images took "))
    #expect(lines.last?.contains("8 of 8 at once, within ") == true)
    #expect(lines.last?.contains("nine tenths of a test") == true)
  }

  @Test func `what does not fit is refused by name`() throws {
    let tiny = try TinyRun()
    let search = try BatchSearch(
      inputs(tiny, batch: 8, group: 4),
      limit: .init(bytes: 1 << 20, reason: "a test"),
      say: { _ in }
    )
    let error = #expect(throws: TrainingError.self) { try search.rounds() }
    let line = "\(try #require(error))"
    #expect(line.contains("not even 4 images fit into 944 kB, nine tenths of a test"), "\(line)")
    #expect(line.contains("--mbstd-group"))
  }

  @Test
  func `the limit is the machine's or a smaller one, also of a control group`() {
    let limit = BatchSearch.limitOfProcess()
    #expect(limit.bytes > 1 << 20 && !limit.reason.isEmpty)
    #expect(BatchSearch.bytes("max\n") == nil && BatchSearch.bytes("4096\n") == 4096)
  }

  @Test(arguments: [1, 2])
  func `groups below four let a device compute as few images, with the gradients of the whole step`(
    group: Int
  ) throws {
    let tiny = try TinyRun()
    func trained(rounds: Int) throws -> [Float] {
      var inputs = try inputs(tiny, batch: 4, group: group)
      var options = inputs.options
      options.trainer.rounds = rounds
      options.trainer.discriminator.featureLogit = .perSample
      options.trainer.augmentation = nil
      (options.trainer.losses.itd, options.trainer.losses.itc) = (0, 0)
      try options.validate()
      inputs = inputs.with(options)
      let trainer = Trainer(inputs)
      _ = trainer.step(try StepData(inputs).batch(at: 0))
      return trainer.discriminator.parameters.flatMap(\.floats)
    }
    let (whole, parts) = (try trained(rounds: 1), try trained(rounds: 4 / group))
    #expect(whole.allSatisfy(\.isFinite) && whole.count == parts.count)
    if group == 1 {
      // Nothing is compared, so that a part's images do not matter to each other. Adam's first step moves a
      // weight by the rate whatever the size of its gradient: rounding turns a few that are nearly 0.
      let moved = zip(whole, parts).count { abs($0 - $1) > 1e-4 }
      #expect(moved * 20 < whole.count, "\(moved) of \(whole.count)")
    }
  }
}
