package import Torch

/// Improved precision and recall (Kynkäänniemi et al., arXiv 1904.06991, algorithm 1).
///
/// The support of a set of images is the union of balls around its feature vectors, each as large as
/// the distance to the k-th nearest other vector. Precision is the fraction of generated images
/// inside the real ones' support, recall the fraction of real ones inside that of the generated.
///
/// As in the published evaluation, features and distances are rounded to float16.
///
/// - Parameters:
///   - real: Features of the reference, [n, D].
///   - generated: Features of the generated images, [m, D].
///   - neighbours: k.
///   - rows: Rows of the distance matrix computed at once: bounds memory.
/// - Returns: Both fractions.
package func precisionRecall(
  real: Tensor,
  generated: Tensor,
  neighbours: Int = 3,
  rows: Int = 1000
) -> (precision: Double, recall: Double) {
  precondition(
    min(real.size(0), generated.size(0)) > neighbours,
    "\(neighbours) neighbours among \(real.size(0)) and \(generated.size(0)) vectors"
  )
  let (a, b) = (rounded(real), rounded(generated))
  return (
    share(of: b, inside: a, neighbours: neighbours, rows: rows),
    share(of: a, inside: b, neighbours: neighbours, rows: rows)
  )
}

private func share(of probes: Tensor, inside support: Tensor, neighbours: Int, rows: Int) -> Double
{
  let radii = Tensor.concatenated(
    // The nearest vector to each is itself, at distance 0.
    chunks(of: support, rows).map {
      rounded($0.distances(to: support)).kthSmallest(neighbours + 1, 1)
    }
  )
  let inside = chunks(of: probes, rows).map { part -> Double in
    let hits = rounded(part.distances(to: support)) .<= radii.reshaped(1, radii.count)
    return hits.to(.float32).largest(1).sum().item
  }
  return inside.reduce(0, +) / Double(probes.size(0))
}

private func chunks(of x: Tensor, _ rows: Int) -> [Tensor] {
  stride(from: 0, to: x.size(0), by: rows).map { x.sliced(0, $0..<min($0 + rows, x.size(0))) }
}

private func rounded(_ x: Tensor) -> Tensor { x.to(.float16).to(.float32) }
