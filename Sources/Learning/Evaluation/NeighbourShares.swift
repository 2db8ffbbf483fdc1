package import Torch

/// Precision, recall, density and coverage over balls around feature vectors, each as large as the
/// distance to the k-th nearest other vector of its set (Naeem et al., arXiv 2002.09797, equations 3–6;
/// the published package is `prdc`).
///
/// Density is the mean number of real vectors' balls that a generated one lies in, over k; coverage is the
/// fraction of real vectors whose ball holds a generated one. Both are robust to outliers, unlike precision
/// and recall. A vector on a ball's surface is outside, and distances are float64: `precisionRecall`, after
/// another publication, differs in both.
package struct NeighbourShares: Equatable, Sendable {
  /// Fraction of generated vectors in any real vector's ball.
  package let precision: Double
  /// Fraction of real vectors in any generated vector's ball.
  package let recall: Double
  /// Real balls that a generated vector lies in, on average, over k: around 1 for equal distributions.
  package let density: Double
  /// Fraction of real balls with a generated vector.
  package let coverage: Double

  /// Compares two sets.
  ///
  /// - Parameters:
  ///   - real: Features of the reference, [n, D].
  ///   - generated: Features of the generated images, [m, D].
  ///   - neighbours: k, less than n and m; 5 as published.
  ///   - rows: Rows of the distance matrix computed at once: bounds memory.
  package init(real: Tensor, generated: Tensor, neighbours: Int = 5, rows: Int = 1000) {
    let (x, y) = (real.to(.float64), generated.to(.float64))
    let (n, m) = (x.size(0), y.size(0))
    precondition(min(n, m) > neighbours, "\(neighbours) neighbours among \(n) and \(m) vectors")
    let reals = Self.balls(x, holding: y, neighbours: neighbours, rows: rows)
    let fakes = Self.balls(y, holding: x, neighbours: neighbours, rows: rows)
    precision = Double(reals.inside.count { $0 > 0 }) / Double(m)
    recall = Double(fakes.inside.count { $0 > 0 }) / Double(n)
    density = Double(reals.inside.reduce(0, +)) / Double(neighbours * m)
    coverage = Double(reals.occupied) / Double(n)
  }

  /// In how many balls around `centres` each probe lies, and how many balls hold any.
  private static func balls(
    _ centres: Tensor,
    holding probes: Tensor,
    neighbours: Int,
    rows: Int
  ) -> (inside: [Int64], occupied: Int) {
    var inside = [Int64](repeating: 0, count: probes.size(0))
    var occupied = 0
    for start in stride(from: 0, to: centres.size(0), by: rows) {
      let part = centres.sliced(0, start..<min(start + rows, centres.size(0)))
      // The nearest vector to each is itself, at distance 0.
      let radii = part.distances(to: centres).kthSmallest(neighbours + 1, 1)
      let hits = part.distances(to: probes) .< radii.reshaped(radii.count, 1)
      let counts = hits.to(.int64)
      for (probe, count) in counts.sum(0).values(Int64.self).enumerated() { inside[probe] += count }
      occupied += counts.sum(1).values(Int64.self).count { $0 > 0 }
    }
    return (inside, occupied)
  }
}
