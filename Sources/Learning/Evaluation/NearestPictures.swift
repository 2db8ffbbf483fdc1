package import Torch

/// The distance of each vector to the nearest of a set, all brought to unit length.
///
/// - Parameters:
///   - x: Features, [n, D].
///   - others: Features of the set, [m, D].
///   - leavingOutOwn: Whether row i of `x` is row i of `others`, and not compared with itself.
///   - rows: Rows of the distance matrix computed at once: bounds memory.
/// - Returns: Euclidean distances, from 0 to 2.
package func nearestDistances(
  _ x: Tensor,
  others: Tensor,
  leavingOutOwn: Bool = false,
  rows: Int = 1000
) -> [Double] {
  let (a, b) = (x.to(.float64).normalized(), others.to(.float64).normalized())
  precondition(b.size(0) > (leavingOutOwn ? 1 : 0), "no vectors to be near to")
  let columns = b.transposed()
  var found: [Double] = []
  for start in stride(from: 0, to: a.size(0), by: rows) {
    let part = a.sliced(0, start..<min(start + rows, a.size(0)))
    let cosines = part.matmul(columns)
    let (n, m) = cosines.shape2
    let values = cosines.values(Double.self)
    for row in 0..<n {
      let own = leavingOutOwn ? start + row : -1
      var largest = -1.0
      for column in 0..<m where column != own { largest = max(largest, values[row * m + column]) }
      found.append(chord(cosine: largest))
    }
  }
  return found
}

/// The mean distance between pictures of one caption, all brought to unit length.
///
/// - Parameters:
///   - x: Features, grouped by caption, [captions · samples, D].
///   - samples: Pictures of each caption, at least 2.
/// - Returns: The mean over captions and over the pairs of each, from 0 to 2.
package func meanDistanceWithin(_ x: Tensor, samples: Int) -> Double {
  let (n, D) = x.shape2
  precondition(samples >= 2 && n > 0 && n % samples == 0, "\(n) vectors in groups of \(samples)")
  let groups = x.to(.float64).normalized().reshaped(n / samples, samples, D)
  let cosines = groups.matmul(groups.transposed(1, 2)).values(Double.self)
  var total = 0.0
  for group in 0..<n / samples {
    for i in 0..<samples {
      for j in 0..<i { total += chord(cosine: cosines[(group * samples + i) * samples + j]) }
    }
  }
  return total / Double(n / samples * (samples * (samples - 1) / 2))
}

/// The distance of two points of the unit sphere.
private func chord(cosine: Double) -> Double { max(0, 2 - 2 * cosine).squareRoot() }
