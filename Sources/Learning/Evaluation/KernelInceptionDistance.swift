package import Torch

/// The kernel inception distance: the unbiased squared maximum mean discrepancy under the kernel
/// (x·y / D + 1)³, averaged over random subsets (Bińkowski et al., arXiv 1801.01401, section 4).
///
/// - Parameters:
///   - real: Features of the reference, [n, D].
///   - generated: Features of the generated images, [m, D].
///   - subsets: Number of random subsets.
///   - maximumSize: Largest size of a subset.
///   - random: Draws the subsets, generated first.
/// - Returns: The distance; around 0 for equal distributions, and possibly negative.
package func kernelInceptionDistance(
  real: Tensor,
  generated: Tensor,
  subsets: Int = 100,
  maximumSize: Int = 1000,
  random: SeededRandom
) -> Double {
  let size = min(real.size(0), generated.size(0), maximumSize)
  func choice(_ count: Int) -> Tensor { random.permutation(count).sliced(0, 0..<size) }
  let drawn = (0..<subsets).map { _ in
    let chosen = choice(generated.size(0))
    return (generated: chosen, real: choice(real.size(0)))
  }
  return kernelInceptionDistance(real: real, generated: generated, subsets: drawn)
}

/// The kernel inception distance over given subsets: indices of equal number, at least two, int64.
package func kernelInceptionDistance(
  real: Tensor,
  generated: Tensor,
  subsets: [(generated: Tensor, real: Tensor)]
) -> Double {
  let D = Double(real.size(1))
  func kernel(_ a: Tensor, _ b: Tensor) -> Tensor { (a.matmul(b.transposed()) / D + 1).power(3) }
  var total = 0.0
  for subset in subsets {
    let x = generated.gathered(0, subset.generated).to(.float64)
    let y = real.gathered(0, subset.real).to(.float64)
    let m = Double(x.size(0))
    precondition(m >= 2, "a subset of \(m) vectors has no pairs")
    let within = kernel(x, x) + kernel(y, y)
    let pairs = within.sum().item - within.diagonal().sum().item
    total += pairs / (m - 1) - kernel(x, y).sum().item * 2 / m
  }
  let m = Double(subsets.first?.generated.count ?? 1)
  return total / Double(max(1, subsets.count)) / m
}
