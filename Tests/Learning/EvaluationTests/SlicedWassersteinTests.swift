import Datasets
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Evaluation

@Suite("Sliced Wasserstein distance")
struct SlicedWassersteinTests {
  @Test func `sets of different sizes give what pencil and paper give`() {
    // The quantiles differ by 1 from ⅓ to ½ and from ⅔ on.
    expectClose(squaredWasserstein([0, 1], [0, 1, 2]), 1 / 6.0 + 1 / 3.0, rtol: 1e-12)
    expectClose(squaredWasserstein([5], [1, 2, 6]), (16 + 9 + 1) / 3.0, rtol: 1e-12)
    #expect(squaredWasserstein([1, 2, 3], [1, 2, 3]) == 0)
    // Each number twice is the same distribution.
    #expect(squaredWasserstein([1, 1, 4, 4], [1, 4]) == 0)
  }

  @Test func `a shift of all is the length of the shift, and the order does not count`() {
    let x = formulaTensor("swd", [30, 4])
    let shift = Tensor([1, -2, 0.5, 0] as [Float]).reshaped(1, 4)
    let moved = (x + shift).gathered(0, random(30))
    // The root of the mean of 1, 4, ¼ and 0.
    let expected = (5.25 / 4).squareRoot()
    expectClose(slicedWassersteinDistance(real: x, generated: moved), expected, rtol: 1e-6)
    expectClose(slicedWassersteinDistance(real: moved, generated: x), expected, rtol: 1e-6)
  }

  private func random(_ count: Int) -> Tensor { SeededRandom(seed: 3).permutation(count) }

  @Test func `pixels are projected on unit vectors that are always the same`() {
    let white = Tensor.full([1, 3, 8, 8], 255, dtype: .uint8)
    let (first, second) = (PixelDetector().features(white), PixelDetector().features(white))
    #expect(first.shape == [1, 512])
    expectClose(first, second, rtol: 0, atol: 0)
    // Of a unit vector the squares sum to 1: the mean square of a projection is |x|² / D = 1.
    expectClose(first.squared().mean().item, 1, atol: 0.2)
    // A picture of one colour is the same at any size above the limit.
    let detector = PixelDetector()
    let (large, limit) = (
      detector.features(.full([1, 3, 128, 128], 255, dtype: .uint8)),
      detector.features(.full([1, 3, 64, 64], 255, dtype: .uint8))
    )
    expectClose(large, limit, rtol: 1e-5, atol: 1e-5)
  }

  @Test func `the metric compares with the halves of the real pictures`() throws {
    let folder = try TemporaryFolder()
    let training = try packSquares(folder.file("train.zip"), count: 24)
    let test = try packSquares(folder.file("test.zip"), count: 7, first: 100)
    func results(_ batchSize: Int) throws -> [String: Double] {
      var plan = MetricPlan()
      plan.images = 20
      plan.batchSize = batchSize
      let suite = try MetricSuite(
        ["swd_pixels"],
        plan: plan,
        training: [training],
        conditions: TrainingSet([test]),
        sources: sources(PixelDetector())
      )
      let line = try suite.line("swd_pixels", of: tinyGenerator(), snapshot: "a")
      return Dictionary(uniqueKeysWithValues: line.results.map { ($0.name, $0.value) })
    }
    let found = try results(16)
    let (distance, halves) = (
      try #require(found["swd_pixels"]), try #require(found["swd_pixels_real_halves"])
    )
    #expect(halves > 0 && distance > 2 * halves, "\(found)")
    #expect(try results(3) == found)
  }
}
