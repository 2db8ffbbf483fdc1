import Datasets
import Evaluation
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Metric suite")
struct MetricSuiteTests {
  private let folder: TemporaryFolder
  private let training: PackedDataset
  private let test: PackedDataset
  private let detector = QuarterDetector()

  init() throws {
    folder = try TemporaryFolder()
    training = try packSquares(folder.file("train.zip"), count: 24)
    test = try packSquares(folder.file("test.zip"), count: 7, first: 100, captions: 2)
  }

  private func suite(
    _ names: [String],
    images: Int? = 20,
    _ change: (inout MetricPlan) -> Void = { _ in }
  ) throws -> MetricSuite {
    var plan = MetricPlan()
    plan.images = images
    change(&plan)
    let detector = detector
    return try MetricSuite(
      names,
      plan: plan,
      training: [training],
      conditions: TrainingSet([test]),
      sources: MetricSources(
        detector: { _ in detector },
        judge: {
          .init(sha256: "aa") { texts in
            Tensor(texts.flatMap { feature($0) + feature("x" + $0) }, shape: [texts.count, 12])
          }
        }
      )
    )
  }

  @Test func `one pass over the images serves all metrics and gives finite figures`() throws {
    let names = ["fid50k_full", "kid50k_full", "pr50k3_full", "is50k", "clip_score", "r_precision"]
    let suite = try suite(names)
    let generator = tinyGenerator()
    var results: [String: Double] = [:]
    for name in names {
      let line = try suite.line(name, of: generator, snapshot: "network-snapshot-000000.pkl")
      #expect(line.metric == name && line.measurement?.generatedImages == 20)
      for (key, value) in line.results where name != "is50k" {
        #expect(value.isFinite, "\(key) is \(value)")
        results[key] = value
      }
    }
    #expect(results["pr50k3_full_precision"] != nil && results["pr50k3_full_recall"] != nil)
    // The four kinds of detector see 20 images each; real images are read once for each key, and
    // once more where vectors are wanted after moments.
    #expect(detector.seen <= 4 * 20 + 3 * 24)
  }

  /// The scores of some metrics, measured by one process or several; and how many images each looked at.
  private static func scores(
    _ names: [String],
    ranks: Int
  ) async throws -> (values: [Double], seen: [Int]) {
    @Sendable func scores(_ suite: MetricSuite) throws -> [Double] {
      let generator = tinyGenerator()
      return try names.map { name in
        let line = try suite.line(name, of: generator, snapshot: "a")
        return try #require(line.results.first).value
      }
    }
    // A last round in which not all have a batch, and a last batch that is smaller.
    let change: @Sendable (inout MetricPlan) -> Void = { ($0.images, $0.batchSize) = (27, 5) }
    if ranks == 1 {
      let one = try MetricSuiteTests()
      return (try scores(one.suite(names, change)), [one.detector.seen])
    }
    let found = try await inRanks(ranks) { group in
      let one = try MetricSuiteTests()
      let suite = try one.suite(names) { plan in
        change(&plan)
        plan.ranks = PassRanks(
          rank: group.rank,
          count: group.count,
          together: { job, pass in
            if group.rank == 0 { _ = try Self.told(job, group) }
            try pass()
          },
          gathered: group.gathered
        )
      }
      var values: [Double] = []
      if group.rank == 0 {
        values = try scores(suite)
        _ = try Self.told(nil, group)
      } else {
        while let job = try Self.told(nil, group) { try suite.help(job: job, tinyGenerator()) }
      }
      return (values, one.detector.seen)
    }
    return (found[0].0, found.map(\.1))
  }

  @Test(arguments: [2, 3])
  func `several processes measure what one does, and each looks at its batches`(
    ranks: Int
  )
    async throws
  {
    let names = ["fid50k_full", "kid50k_full", "clip_score"]
    let expected = try await Self.scores(names, ranks: 1).values
    let found = try await Self.scores(names, ranks: ranks)
    for (a, b) in zip(found.values, expected) { expectClose(a, b, rtol: 1e-12) }
    // Two detectors look at 27 generated images, and twice at 24 real ones: each process at its batches.
    let all = found.seen.reduce(0, +)
    #expect(all == 2 * 27 + 2 * 24, "\(found)")
    #expect(found.seen.allSatisfy { $0 >= all / (2 * ranks) }, "\(found)")
  }

  @Test(arguments: [2, 3])
  func `several processes measure the path lengths of one, and each its batches`(
    ranks: Int
  )
    async throws
  {
    let names = ["ppl2_wend", "ppl_zfull"]
    let expected = try await Self.scores(names, ranks: 1)
    let found = try await Self.scores(names, ranks: ranks)
    #expect(found.values == expected.values)
    // Both ends of 27 paths, for each metric.
    #expect(found.seen.reduce(0, +) == 2 * 2 * 27 && expected.seen == [2 * 2 * 27], "\(found)")
    #expect(found.seen.allSatisfy { $0 >= 2 * 27 / ranks }, "\(found)")
  }

  @Test(arguments: [2, 3])
  func `several processes measure the judge's figures of one, bit for bit`(ranks: Int) async throws
  {
    let names = [
      "mmd_judge", "prdc_judge", "nearest_judge", "variety_judge", "mmd_features", "swd_pixels",
    ]
    let expected = try await Self.scores(names, ranks: 1)
    let found = try await Self.scores(names, ranks: ranks)
    #expect(found.values == expected.values)
    #expect(found.seen.reduce(0, +) == expected.seen.reduce(0, +), "\(found)")
    #expect(found.seen.allSatisfy { $0 >= 27 / ranks }, "\(found)")
  }

  /// What rank 0 wants done; `nil` at the end.
  private static func told(_ job: PassRanks.Job?, _ group: ProcessGroup) throws -> Int? {
    let number = Tensor([Int64(job?.number ?? -1)])
    try group.broadcast(number)
    let told = Int(number.values(Int64.self)[0])
    return told < 0 ? nil : told
  }

  @Test func `reference points of one image are refused`() throws {
    let set = try TrainingSet([packSquares(folder.file("one.zip"), count: 1)])
    let real = try RealImages(set, indices: [0]).statistics(QuarterDetector())
    let error = #expect(throws: EvaluationError.self) {
      try ReferencePoints(set, real: real, detector: QuarterDetector())
    }
    #expect(error?.description.contains("at least 2 images") == true)
  }

  @Test(arguments: [Int.min, -2, -1, 100, .max]) func `a job that no metric has is refused`(
    number: Int
  ) throws {
    let suite = try suite(["fid50k_full"]) { $0.images = 2 }
    #expect(throws: EvaluationError.self) { try suite.help(job: number, tinyGenerator()) }
  }

  @Test(arguments: [
    PassRanks.Job.generated, .real(0), .own(0), .real(1), .own(1), .real(9), .own(9),
  ])
  func `a job round-trips through its number`(job: PassRanks.Job) {
    #expect(PassRanks.Job(number: job.number) == job)
  }

  @Test func `the distance is that of the features, whatever the batches`() throws {
    let generator = tinyGenerator()
    let one = try suite(["fid50k_full"]).line("fid50k_full", of: generator, snapshot: "a")
    let set = try TrainingSet([training])
    let real = try RealImages(set, indices: Array(0..<24)).statistics(detector)
    var fake = FeatureStatistics(dimension: 12)
    try GeneratedImages(conditions: TrainingSet([test]), count: 20, seed: 0)
      .features(of: generator, [detector], .alone) { fake.append($0[0]) }
    #expect(real.count == 24 && fake.count == 20)
    let expected = frechetDistance(real: real, generated: fake)
    #expect(expected > 0.01)
    expectClose(one.results[0].value, expected, rtol: 1e-9)
  }

  @Test func `the protocol says what was compared with what`() throws {
    let generator = tinyGenerator()
    func measured(
      _ name: String,
      _ change: (inout MetricPlan) -> Void = { _ in }
    ) throws
      -> MetricLine.MeasurementProtocol
    {
      let line = try suite([name], change).line(name, of: generator, snapshot: "a")
      return try #require(line.measurement)
    }
    let lafite = try measured("fid50k_full")
    #expect(lafite.rules == "lafite" && lafite.scaledFrom == 30_000)
    #expect(lafite.realImages == 24 && lafite.referenceSet == training.path)
    #expect(lafite.captionSource == test.path)
    let clean = try measured("fid50k_full") { $0.rules = .clean }
    #expect(clean.rules == "clean" && clean.scaledFrom == 50_000)
    #expect(clean.realImages == 7 && clean.referenceSet == test.path)
    #expect(try measured("fid50k_full") { $0.comparesWithTest = true }.realImages == 7)
    #expect(try measured("fid50k_full") { $0.mirror = true }.realImages == 24)
    #expect(try measured("fid50k") { $0.mirror = true }.realImages == 48)
    let score = try measured("is50k")
    #expect(score.realImages == nil && score.referenceSet == nil)
    #expect(score.candidates == nil)
    // Seven images of two captions: fewer than the hundred that the metric ranks otherwise.
    let ranked = try measured("r_precision")
    #expect(ranked.candidates.map { (8...14).contains($0) } == true)
    let line = try suite(["r_precision"]).line("r_precision", of: tinyGenerator(), snapshot: "a")
    #expect(line.json.hasSuffix("\"candidates\": \(ranked.candidates ?? 0)}}"))
  }

  @Test func `LAFITE generates 30,000 images, and 6,000 for a test set called celeba`() throws {
    #expect(MetricRules.lafite.generatedImages(testPath: "data/coco_test.zip") == 30_000)
    #expect(MetricRules.lafite.generatedImages(testPath: "data/mm-celeba/test.zip") == 6000)
    #expect(MetricRules.clean.generatedImages(testPath: "celeba") == 50_000)
    #expect(try suite(["fid50k"], images: nil).imageCount == 30_000)
  }

  @Test func `an unknown metric is refused with the names of all`() {
    let error = #expect(throws: EvaluationError.self) { try suite(["fid50k_ful"]) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("fid50k_full"))
  }

  @Test func `statistics of pytorch-fid stand for the real images`() throws {
    let reference = FeatureMoments(
      mean: .zeros([12], dtype: .float64),
      covariance: .identity(12, dtype: .float64)
    )
    let line = try suite(["fid50k_full"]) { $0.reference = ("other.npz", reference) }
      .line("fid50k_full", of: tinyGenerator(), snapshot: "a")
    #expect(line.measurement?.referenceSet == "other.npz" && line.measurement?.realImages == nil)
    #expect(line.results[0].value > 1)
    let endless = try suite(["fid_infinity"], images: 100) {
      $0.reference = ("other.npz", reference)
    }
    .line("fid_infinity", of: tinyGenerator(), snapshot: "a")
    #expect(endless.measurement?.referenceSet == "other.npz")
    #expect(endless.results[0].value < line.results[0].value)
    let small = FeatureMoments(
      mean: .zeros([3], dtype: .float64),
      covariance: .identity(3, dtype: .float64)
    )
    #expect(throws: EvaluationError.self) {
      try suite(["fid50k_full"]) { $0.reference = ("other.npz", small) }
        .line("fid50k_full", of: tinyGenerator(), snapshot: "a")
    }
  }

  @Test func `too few images for a metric are refused in words`() throws {
    for (name, images) in [
      ("is50k", 5), ("pr50k3", 2), ("kid50k", 1), ("r_precision", 1),
    ] {
      #expect(throws: EvaluationError.self, "\(name)") {
        try suite([name], images: images).line(name, of: tinyGenerator(), snapshot: "a")
      }
    }
  }

  @Test(arguments: ["ppl2_wend", "ppl_zfull", "ppl_wfull", "ppl_zend", "ppl_wend"])
  func `path lengths do not depend on the step and survive reduced precision`(
    name: String
  ) throws {
    let plain = try suite([name], images: 12).line(name, of: tinyGenerator(), snapshot: "a")
    let value = plain.results[0].value
    #expect(value > 0 && value.isFinite)
    let reduced = tinyGenerator(reduced: 2)
    reduced.copyState(from: tinyGenerator())
    let again = try suite([name], images: 12).line(name, of: reduced, snapshot: "a")
    expectClose(again.results[0].value, value, rtol: 1e-9)
    // A linear measure of the image: ten times the step, nearly the same length.
    guard case .pathLength(var measurement)? = MetricDefinition(named: name)?.kind else {
      Issue.record("\(name) is no path length")
      return
    }
    measurement.epsilon = 1e-3
    let longer = try GeneratedImages(conditions: TrainingSet([test]), count: 12, seed: 0)
      .pathLength(measurement, of: tinyGenerator(), detector) { _, _ in }
    expectClose(longer, value, rtol: 0.05)
  }
}

@Suite("Perceptual path length")
struct PathLengthTests {
  @Test func `the outermost percent is left out, bounds included`() {
    expectClose(PathLength.trimmedMean([3]), 3)
    expectClose(PathLength.trimmedMean([1, 2, 3]), 2)
    // Of 0 … 200 the bounds are 2 and 198.
    let values = (0...200).map { $0 == 0 ? -1e6 : $0 == 200 ? 1e6 : Double($0) }
    expectClose(PathLength.trimmedMean(values), 100, rtol: 1e-12)
    // Of a hundred the bounds are the outermost but none.
    expectClose(PathLength.trimmedMean((0..<100).map { Double($0) }), 49.5, rtol: 1e-12)
  }

  @Test func `the view is the middle of the image, shrunk to 256 at most`() {
    let measurement = PathLength(.w, samplesWholePath: false, isCropped: true)
    let rows = (Tensor.range(8).to(.float32) / 8).reshaped(1, 1, 8, 1).expanded(2, 3, 8, 8)
    let view = measurement.view(rows)
    #expect(view.shape == [2, 3, 4, 4])
    let first = view.selected(0, 0).selected(0, 0).selected(1, 0).floats
    let expected: [Float] = [175.3125, 191.25, 207.1875, 223.125]
    #expect(first == expected)
    let whole = PathLength(.w, samplesWholePath: false, isCropped: false)
    #expect(whole.view(.zeros([1, 3, 512, 512])).shape == [1, 3, 256, 256])
    expectClose(whole.view(.ones([1, 3, 8, 8])), .full([1, 3, 8, 8], 255), rtol: 0, atol: 0)
  }
}
