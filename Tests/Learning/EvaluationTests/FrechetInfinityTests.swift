import Datasets
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Evaluation

@Suite("Fréchet distance at infinity")
struct FrechetInfinityTests {
  @Test func `a line is followed to zero`() {
    expectClose(intercept([(0.5, 4), (0.25, 3), (0.1, 2.4)]), 2, rtol: 1e-12)
    // Errors of +1, −2, +1 at equal steps leave the line alone.
    expectClose(intercept([(1, 4), (2, 3), (3, 8)]), 1, rtol: 1e-12)
  }

  @Test func `few images of the same distribution are near it`() {
    let random = SeededRandom(seed: 5)
    var reference = FeatureStatistics(dimension: 16)
    reference.append(random.normal([20_000, 16]))
    let few = random.normal([400, 16])
    var seen = FeatureStatistics(dimension: 16)
    seen.append(few)
    let plain = frechetDistance(real: reference, generated: seen)
    let found = frechetDistanceAtInfinity(
      real: reference.moments,
      generated: few,
      random: SeededRandom(seed: 0)
    )
    #expect(plain > 0.1 && abs(found) < plain / 3, "\(plain) and \(found)")
    let again = frechetDistanceAtInfinity(
      real: reference.moments,
      generated: few,
      random: SeededRandom(seed: 0)
    )
    #expect(again == found)
  }

  @Test func `a shift stays`() {
    let random = SeededRandom(seed: 6)
    var reference = FeatureStatistics(dimension: 4)
    reference.append(random.normal([20_000, 4]))
    let found = frechetDistanceAtInfinity(
      real: reference.moments,
      generated: random.normal([1000, 4]) + 2,
      random: SeededRandom(seed: 0)
    )
    expectClose(found, 16, atol: 1)
  }

  @Test func `too few images are refused in words`() throws {
    let folder = try TemporaryFolder()
    let set = try packSquares(folder.file("train.zip"), count: 8)
    func suite(_ images: Int) throws -> MetricSuite {
      var plan = MetricPlan()
      plan.images = images
      return try MetricSuite(
        ["fd_lite0_infinity"],
        plan: plan,
        training: [set],
        conditions: TrainingSet([set]),
        sources: sources(QuarterDetector())
      )
    }
    let error = #expect(throws: EvaluationError.self) {
      try suite(99).line("fd_lite0_infinity", of: tinyGenerator(), snapshot: "a")
    }
    #expect(error?.description.contains("generate at least 100") == true)
    let line = try suite(100).line("fd_lite0_infinity", of: tinyGenerator(), snapshot: "a")
    #expect(line.results[0].value.isFinite && line.results[0].name == "fd_lite0_infinity")
  }
}
