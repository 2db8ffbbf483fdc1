package import Torch

/// The Inception score: exp of the mean divergence of p(class | image) from p(class) (Salimans et al.,
/// arXiv 1606.03498, section 4), over splits in file order.
///
/// - Parameters:
///   - probabilities: A row of class probabilities for each image, [n, K].
///   - splits: Number of equal parts; part i has rows i·n/S ..< (i+1)·n/S.
/// - Returns: Mean and standard deviation (over S, not S − 1) of the parts' scores.
package func inceptionScore(
  _ probabilities: Tensor,
  splits: Int = 10
) -> (mean: Double, deviation: Double) {
  let n = probabilities.size(0)
  precondition(splits >= 1 && n >= splits, "\(n) images in \(splits) splits")
  let p = probabilities.to(.float64)
  let scores = (0..<splits).map { split in
    let part = p.sliced(0, split * n / splits..<(split + 1) * n / splits)
    let marginal = part.mean(0, keeping: true)
    // p·log p tends to 0 with p: the floor keeps a probability of exactly 0 from giving NaN.
    let ratio = part.clamped(from: 1e-300).logarithm() - marginal.clamped(from: 1e-300).logarithm()
    return (part * ratio).sum(1).mean().exponential().item
  }
  let mean = scores.reduce(0, +) / Double(splits)
  let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(splits)
  return (mean, variance.squareRoot())
}
