import Datasets
import Evaluation
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchTestSupport

@Suite("Metrics of the judge")
struct JudgeMetricTests {
  private let folder: TemporaryFolder
  private let training: PackedDataset
  private let test: PackedDataset
  private let detector = QuarterDetector()

  init() throws {
    folder = try TemporaryFolder()
    training = try packSquares(folder.file("train.zip"), count: 24)
    test = try packSquares(folder.file("test.zip"), count: 7, first: 100, captions: 2)
  }

  private func results(
    _ name: String,
    images: Int = 20,
    training: PackedDataset? = nil,
    _ change: (inout MetricPlan) -> Void = { _ in }
  ) throws -> [String: Double] {
    var plan = MetricPlan()
    plan.images = images
    change(&plan)
    let suite = try MetricSuite(
      [name],
      plan: plan,
      training: [training ?? self.training],
      conditions: TrainingSet([test]),
      sources: MetricSources(
        detector: { [detector] in
          [.judge, .classifier, .pixels].contains($0) ? detector : QuarterDetector(name: "other")
        },
        judge: { throw EvaluationError.option("no judge of captions was asked for") }
      )
    )
    let line = try suite.line(name, of: tinyGenerator(), snapshot: "a")
    #expect(line.measurement?.detector == detector.name)
    if name == "variety_judge" {
      // Its number of images is its own, and no share of what the rules ask for.
      let painted = min(plan.captions, 7) * plan.samplesPerCaption
      #expect(line.measurement?.generatedImages == painted && line.measurement?.scaledFrom == nil)
    } else {
      let whole = plan.rules.generatedImages(testPath: test.path)
      #expect(line.measurement?.generatedImages == images && line.measurement?.scaledFrom == whole)
    }
    return Dictionary(uniqueKeysWithValues: line.results.map { ($0.name, $0.value) })
  }

  @Test(arguments: [
    "mmd_judge", "prdc_judge", "nearest_judge", "variety_judge", "mmd_features", "swd_pixels",
  ])
  func `figures are the same bits for any batch size and number of threads`(name: String) throws {
    let expected = try results(name)
    for (batch, threads) in [(1, 1), (5, 2), (64, 2)] {
      let before = Runtime.threads
      Runtime.threads = threads
      defer { Runtime.threads = before }
      detector.threads = []
      #expect(try results(name) { $0.batchSize = batch } == expected, "\(batch), \(threads)")
    }
    // Rounding depends on the threads that share a sum, so there is one.
    #expect(detector.threads == [1])
    #expect(try results(name) { $0.seed = 1 } != expected)
  }

  @Test func `fewer captions than asked for are told`() {
    var plan = MetricPlan()
    plan.captions = 8
    #expect(plan.captionNotice(imageCount: 8) == nil)
    #expect(
      plan.captionNotice(imageCount: 7)
        == "variety_judge: the data has 7 images, fewer than the 8 captions asked for (--captions): "
        + "all are taken"
    )
  }

  @Test func `the first pictures are the same, however many there are`() throws {
    func features(_ count: Int) throws -> [Float] {
      var all: [Float] = []
      try GeneratedImages(conditions: TrainingSet([test]), count: count, seed: 0, batchSize: 1)
        .features(of: tinyGenerator(), [detector], .alone) { all += $0[0].floats }
      return all
    }
    #expect(try features(9).prefix(4 * 12).elementsEqual(features(4)))
  }

  @Test func `the kernel distance comes with its error and the halves of the real pictures`() throws
  {
    let found = try results("mmd_judge")
    let real = try RealImages(TrainingSet([training]), indices: Array(0..<24))
      .statistics(detector, keepingFeatures: true)
    let features = try #require(real.features)
    func half(_ first: Int) -> Tensor {
      features.gathered(0, Array(stride(from: first, to: 24, by: 2)))
    }
    let halves = MaximumMeanDiscrepancy(real: half(0), generated: half(1), kernel: .cubic)
    expectClose(try #require(found["mmd_judge_real_halves"]), halves.unbiased, rtol: 1e-6)
    expectClose(
      try #require(found["mmd_judge_real_halves_stderr"]),
      halves.standardError,
      rtol: 1e-6
    )
    let distance = try #require(found["mmd_judge"])
    let error = try #require(found["mmd_judge_stderr"])
    #expect(error > 0 && distance > 5 * error, "\(distance) ± \(error)")
  }

  private func features(_ set: PackedDataset) throws -> Tensor {
    let set = try TrainingSet([set])
    let found = try RealImages(set, indices: Array(0..<set.count))
      .statistics(detector, keepingFeatures: true)
    return try #require(found.features)
  }

  @Test func `held-out pictures are compared with the training ones, and must not be among them`()
    throws
  {
    let expected = nearestDistances(try features(test), others: try features(training))
    let found = try results("nearest_judge")
    expectClose(
      try #require(found["nearest_judge_held_out"]),
      expected.reduce(0, +) / 7,
      rtol: 1e-6
    )
    let generated = try #require(found["nearest_judge"])
    #expect(generated > 0)
    // The training images stay the reference where others are measured against the test images.
    #expect(try results("nearest_judge") { $0.rules = .clean } == found)
    let error = #expect(throws: EvaluationError.self) {
      try results("nearest_judge", training: test)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("--test_data"))
  }

  @Test func `variety is among the samples of a caption, each of its own latent`() throws {
    let found = try results("variety_judge") { ($0.captions, $0.samplesPerCaption) = (5, 3) }
    // The real images, each once, and three samples of five captions.
    #expect(detector.seen == 24 + 15)
    let real = try features(training)
    let apart = nearestDistances(real, others: real, leavingOutOwn: true)
    expectClose(
      try #require(found["variety_judge_real_nearest"]),
      apart.reduce(0, +) / 24,
      rtol: 1e-6
    )
    var samples: [Tensor] = []
    let images = GeneratedImages(
      conditions: try TrainingSet([test]),
      count: 15,
      seed: 0,
      perCaption: 3,
      batchSize: 1
    )
    try images.features(of: tinyGenerator(), [detector], .alone) { samples.append($0[0]) }
    let within = meanDistanceWithin(.concatenated(samples), samples: 3)
    expectClose(try #require(found["variety_judge"]), within, rtol: 1e-9)
    #expect(within > 0)
    let conditions = images.features(at: 0..<15)
    for row in 0..<15 {
      let same = conditions.selected(0, row).floats == conditions.selected(0, 0).floats
      #expect(same == (row < 3), "\(row)")
    }
    // A test set of seven images has no 64 captions.
    _ = try results("variety_judge")
    #expect(throws: EvaluationError.self) {
      try results("variety_judge") { $0.samplesPerCaption = 1 }
    }
  }

  @Test func `CMMD is what its published code computes, from any detector's features`() throws {
    var generated: [Tensor] = []
    try GeneratedImages(conditions: TrainingSet([test]), count: 20, seed: 0)
      .features(of: tinyGenerator(), [detector], .alone) { generated.append($0[0]) }
    var plan = MetricPlan()
    plan.images = 20
    let suite = try MetricSuite(
      ["cmmd", "prdc_clip"],
      plan: plan,
      training: [training],
      conditions: TrainingSet([test]),
      sources: MetricSources(
        detector: { [detector] _ in detector },
        judge: { throw EvaluationError.option("no judge of captions was asked for") }
      )
    )
    let (x, y) = (try features(training), Tensor.concatenated(generated))
    let cmmd = try suite.line("cmmd", of: tinyGenerator(), snapshot: "a").results
    let found = MaximumMeanDiscrepancy(real: x, generated: y, kernel: .gaussian(sigma: 10))
    #expect(cmmd.map(\.name) == ["cmmd"])
    expectClose(cmmd[0].value, 1000 * found.biased, rtol: 1e-9)
    let shares = try suite.line("prdc_clip", of: tinyGenerator(), snapshot: "a").results
    let expected = NeighbourShares(real: x, generated: y)
    let names = ["precision", "recall", "density", "coverage"]
    #expect(shares.map(\.name) == names.map { "prdc_clip_" + $0 })
    #expect(
      shares.map(\.value) == [
        expected.precision, expected.recall, expected.density, expected.coverage,
      ]
    )
  }

  @Test func `too few images are refused in words`() throws {
    #expect(throws: EvaluationError.self) { try results("mmd_judge", images: 2) }
    #expect(throws: EvaluationError.self) { try results("prdc_judge", images: 5) }
    let few = try packSquares(folder.file("few.zip"), count: 5)
    #expect(throws: EvaluationError.self) { try results("mmd_judge", training: few) }
    #expect(throws: EvaluationError.self) { try results("prdc_judge", training: few) }
    let one = try packSquares(folder.file("one.zip"), count: 1)
    #expect(throws: EvaluationError.self) { try results("variety_judge", training: one) }
  }
}
