import Evaluation
import Foundation
import Testing
import Torch
import TorchTestSupport

@Suite("Maximum mean discrepancy")
struct DiscrepancyTests {
  private func unit(_ rows: [[Double]]) -> Tensor {
    Tensor(rows.flatMap(\.self), shape: [rows.count, rows[0].count])
  }

  /// The estimates in plain loops, from the published formulas.
  private func plain(
    _ x: [[Double]],
    _ y: [[Double]],
    _ k: ([Double], [Double]) -> Double
  ) -> (unbiased: Double, biased: Double) {
    func sum(_ a: [[Double]], _ b: [[Double]], same: Bool) -> Double {
      var total = 0.0
      for i in a.indices {
        for j in b.indices where !same || i != j { total += k(a[i], b[j]) }
      }
      return total
    }
    let (n, m) = (Double(x.count), Double(y.count))
    let cross = 2 * sum(x, y, same: false) / (n * m)
    return (
      sum(x, x, same: true) / (n * (n - 1)) + sum(y, y, same: true) / (m * (m - 1)) - cross,
      sum(x, x, same: false) / (n * n) + sum(y, y, same: false) / (m * m) - cross
    )
  }

  private func rows(_ x: Tensor) -> [[Double]] {
    let width = x.size(1)
    let values = x.to(.float64).normalized().values(Double.self)
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  private func cubic(_ a: [Double], _ b: [Double]) -> Double {
    pow(zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } + 1, 3)
  }

  @Test func `three vectors a side give what pencil and paper give`() {
    // Cosines are 1, 0 or −1, so the kernel is 8, 1 or 0; lengths do not count.
    let x = unit([[3, 0], [1, 0], [0, 2]])
    let y = unit([[0, 1], [0, 5], [-1, 0]])
    let found = MaximumMeanDiscrepancy(real: x, generated: y, kernel: .cubic)
    // Pairs of x: 20, of y: 20, across: 21. 20/6 + 20/6 − 2·21/9.
    expectClose(found.unbiased, 2, rtol: 1e-12)
    expectClose(found.biased, 46 / 9.0, rtol: 1e-12)
    // Without one of x: −2, −2, 10; without one of y: 2/3, 2/3, 14/3: 2/3 · (96 + 32/3).
    expectClose(found.standardError, (640 / 9.0).squareRoot(), rtol: 1e-12)
  }

  @Test(arguments: [1, 7, 1000]) func `it is the published sum, whatever the chunks`(chunk: Int) {
    let (x, y) = (formulaTensor("mmd x", [23, 6]), formulaTensor("mmd y", [17, 6]) * 3 + 1)
    let found = MaximumMeanDiscrepancy(real: x, generated: y, kernel: .cubic, rows: chunk)
    let (a, b) = (rows(x), rows(y))
    let expected = plain(a, b, cubic)
    expectClose(found.unbiased, expected.unbiased, rtol: 1e-10)
    expectClose(found.biased, expected.biased, rtol: 1e-10)
    // The jackknife, by leaving out each vector in turn.
    func variance(_ without: [Double]) -> Double {
      let n = Double(without.count)
      let mean = without.reduce(0, +) / n
      return (n - 1) / n * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    func leavingOut(_ index: Int, _ all: [[Double]]) -> [[Double]] {
      all.enumerated().filter { $0.offset != index }.map(\.element)
    }
    let spread =
      variance(a.indices.map { plain(leavingOut($0, a), b, cubic).unbiased })
      + variance(b.indices.map { plain(a, leavingOut($0, b), cubic).unbiased })
    expectClose(found.standardError, spread.squareRoot(), rtol: 1e-8)
  }

  @Test func `the Gaussian estimate is that of CMMD's code, the pairs with itself included`() {
    let (x, y) = (formulaTensor("cmmd x", [21, 6]), formulaTensor("cmmd y", [16, 6]) + 0.5)
    let found = MaximumMeanDiscrepancy(real: x, generated: y, kernel: .gaussian(sigma: 10))
    let expected = plain(rows(x), rows(y)) { a, b in
      let squared = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return exp(-squared / (2 * 10 * 10))
    }
    expectClose(found.biased, expected.biased, rtol: 1e-9)
    expectClose(found.unbiased, expected.unbiased, rtol: 1e-9)
    // Two points at right angles: 2 − 2·exp(−2 / 200).
    let two = (unit([[1, 0], [1, 0]]), unit([[0, 1], [0, 1]]))
    let apart = MaximumMeanDiscrepancy(real: two.0, generated: two.1, kernel: .gaussian(sigma: 10))
    expectClose(apart.biased, 2 - 2 * exp(-0.01), rtol: 1e-12)
  }

  @Test func `the cubic kernel is that of the kernel inception distance`() {
    let D = 5.0
    let (x, y) = (formulaTensor("kid x", [12, 5]), formulaTensor("kid y", [12, 5]) + 1)
    let all = Tensor((0..<12).map { Int64($0) })
    let distance = kernelInceptionDistance(
      real: x.to(.float64).normalized() * D.squareRoot(),
      generated: y.to(.float64).normalized() * D.squareRoot(),
      subsets: [(all, all)]
    )
    let found = MaximumMeanDiscrepancy(real: x, generated: y, kernel: .cubic)
    expectClose(found.unbiased, distance, rtol: 1e-10)
  }

  // 200 draws tell a deviation to about 5 %. Where the sets are alike, each side's jackknife sees the noise of
  // both, so that the error is √2 times too large.
  @Test(arguments: [(0.4, 0.9...1.4), (0, 1.2...1.7)])
  func `the standard error is the spread of the estimate over fresh samples, or somewhat more`(
    shift: Double,
    allowed: ClosedRange<Double>
  ) {
    let found = (0..<200).map { draw in
      let random = SeededRandom(seed: UInt64(draw))
      return MaximumMeanDiscrepancy(
        real: random.normal([40, 4]),
        generated: random.normal([30, 4]) + shift,
        kernel: .cubic
      )
    }
    let mean = found.map(\.unbiased).reduce(0, +) / 200
    let spread = (found.reduce(0) { $0 + pow($1.unbiased - mean, 2) } / 199).squareRoot()
    let said = found.map(\.standardError).reduce(0, +) / 200
    #expect(allowed.contains(said / spread), "\(said) for \(spread)")
    if shift == 0 { #expect(abs(mean) < 4 * spread / 200.0.squareRoot(), "\(mean) is biased") }
  }
}
