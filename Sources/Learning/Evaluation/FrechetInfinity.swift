package import Torch

/// FD∞: the Fréchet distance that endlessly many generated images would have (Chong and Forsyth, arXiv 1911.07023,
/// section 4).
///
/// A Fréchet distance of N images is too large by about a constant / N, which differs between generators. Distances
/// of several N lie on a line over 1 / N; its value at 0 is the distance without that error. N goes from a tenth
/// of the images to all of them, as there: from 5,000 to 50,000.
///
/// - Parameters:
///   - real: Moments of the reference.
///   - generated: Features of the generated images, [m, D], m ≥ `leastImages`.
///   - random: Draws the subsets.
///   - points: How many N.
/// - Returns: The distance; possibly negative, as a line may end below 0.
package func frechetDistanceAtInfinity(
  real: FeatureMoments,
  generated: Tensor,
  random: SeededRandom,
  points: Int = 15
) -> Double {
  let m = generated.size(0)
  precondition(points >= 2 && m >= leastImagesAtInfinity, "\(points) points of \(m) images")
  let reference = FrechetReference(real)
  let line = (0..<points).map { index in
    let share = 0.1 + 0.9 * Double(index) / Double(points - 1)
    let count = index == points - 1 ? m : Int(Double(m) * share)
    var statistics = FeatureStatistics(dimension: generated.size(1))
    let order = random.permutation(m)
    // In parts: in float64 all of them at once take twice the memory of the features.
    for start in stride(from: 0, to: count, by: 1000) {
      let part = order.sliced(0, start..<min(start + 1000, count))
      statistics.append(generated.gathered(0, part))
    }
    return (x: 1 / Double(count), y: reference.distance(to: statistics.moments))
  }
  return intercept(line)
}

/// The fewest images of `frechetDistanceAtInfinity`: below, its numbers of images would be nearly equal.
package let leastImagesAtInfinity = 100

/// The value at 0 of the line with the smallest squared errors.
func intercept(_ points: [(x: Double, y: Double)]) -> Double {
  let count = Double(points.count)
  let x = points.reduce(0) { $0 + $1.x } / count
  let y = points.reduce(0) { $0 + $1.y } / count
  let slope =
    points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
    / points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
  return y - slope * x
}
