import Evaluation
import Foundation
import Testing
import Torch
import TorchTestSupport

@Suite("Neighbours among features")
struct NeighbourTests {
  private func line(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count, 1]) }

  @Test func `balls on a line give what pencil and paper give`() {
    // Radii of the real ones: 1, 1, 2; of the generated ones: 4.5, 4.5, 5.
    let found = NeighbourShares(
      real: line([0, 1, 3]),
      generated: line([0.5, 5, 10]),
      neighbours: 1
    )
    // 0.5 lies in two balls; 5 on the surface of the third, which is outside.
    expectClose(found.precision, 1 / 3.0)
    expectClose(found.density, 2 / 3.0)
    expectClose(found.coverage, 2 / 3.0)
    expectClose(found.recall, 1)
  }

  /// The published formulas in plain loops.
  private func plain(_ real: [[Double]], _ fake: [[Double]], _ k: Int) -> [Double] {
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    func radii(_ set: [[Double]]) -> [Double] {
      set.map { own in set.map { distance(own, $0) }.sorted()[k] }
    }
    let (reals, fakes) = (radii(real), radii(fake))
    let (n, m) = (Double(real.count), Double(fake.count))
    func holders(_ probe: [Double], _ set: [[Double]], _ radii: [Double]) -> Int {
      zip(set, radii).count { distance($0, probe) < $1 }
    }
    let inside = fake.map { holders($0, real, reals) }
    let covered = zip(real, reals).count { own, radius in
      (fake.map { distance($0, own) }.min() ?? .infinity) < radius
    }
    return [
      Double(inside.count { $0 > 0 }) / m,
      Double(real.count { holders($0, fake, fakes) > 0 }) / n,
      Double(inside.reduce(0, +)) / (Double(k) * m),
      Double(covered) / n,
    ]
  }

  @Test(arguments: [4, 1000]) func `shares are the published ones, whatever the chunks`(rows: Int) {
    let (real, fake) = (formulaTensor("prdc x", [41, 4]), formulaTensor("prdc y", [37, 4]) * 0.7)
    func lists(_ x: Tensor) -> [[Double]] {
      let values = x.to(.float64).values(Double.self)
      return stride(from: 0, to: values.count, by: 4).map { Array(values[$0..<$0 + 4]) }
    }
    let found = NeighbourShares(real: real, generated: fake, rows: rows)
    let expected = plain(lists(real), lists(fake), 5)
    #expect(expected.allSatisfy { (0.05...1.5).contains($0) }, "\(expected)")
    for (a, b) in zip(
      [found.precision, found.recall, found.density, found.coverage],
      expected
    ) { expectClose(a, b, rtol: 1e-12) }
  }

  @Test(arguments: [1, 1000]) func `distances to the nearest are chords of the unit circle`(
    rows: Int
  ) {
    let x = Tensor([2, 0, 0, 3] as [Double], shape: [2, 2])
    let others = Tensor([0, 1, -5, 0] as [Double], shape: [2, 2])
    let found = nearestDistances(x, others: others, rows: rows)
    #expect(found.count == 2)
    expectClose(found[0], 2.0.squareRoot(), rtol: 1e-12)
    expectClose(found[1], 0, atol: 1e-7)
    let set = Tensor([1, 0, 2, 0, 0, 1] as [Double], shape: [3, 2])
    let own = nearestDistances(set, others: set, leavingOutOwn: true, rows: rows)
    expectClose(own[0], 0, atol: 1e-7)
    expectClose(own[1], 0, atol: 1e-7)
    expectClose(own[2], 2.0.squareRoot(), rtol: 1e-12)
  }

  @Test func `samples are compared within their caption only`() {
    let two = Tensor([1, 0, 4, 0, 0, 1, 0, -1] as [Double], shape: [4, 2])
    // 0 for the first caption, 2 for the second.
    expectClose(meanDistanceWithin(two, samples: 2), 1, atol: 1e-7)
    let three = Tensor([1, 0, 0, 1, -1, 0] as [Double], shape: [3, 2])
    expectClose(meanDistanceWithin(three, samples: 3), (2 * 2.0.squareRoot() + 2) / 3, rtol: 1e-12)
  }
}
