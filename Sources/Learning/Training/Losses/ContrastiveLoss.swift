package import Torch

/// The contrastive agreement of two batches of features, per sample; higher is better.
///
/// With cosine similarities sᵢⱼ of A's and B's rows, p₁ is the softmax probability of A's partner
/// among all of B, p₂ that of B's partner among all of A (LAFITE, arXiv 2111.13792, equations 6 and 7).
/// The form `lafite` takes exp(s / τ) as the softmax's argument, as the released code does, `infonce`
/// takes s / τ.
///
/// - Parameters:
///   - a: [N, F].
///   - b: [N, F].
///   - temperature: τ; 0 or less gives the plain similarity of the pairs.
///   - lambda: Between 0 and 1: λ·log p₁ + (1 − λ)·log p₂; 0: log p₂; otherwise log p₁.
///   - form: See above.
/// - Returns: [N]; the loss is its negative.
package func contrastiveAgreement(
  _ a: Tensor,
  _ b: Tensor,
  temperature: Double,
  lambda: Double,
  form: ContrastiveForm
) -> Tensor {
  let similarities = a.normalized().matmul(b.normalized().transposed())  // [N, N]
  if temperature <= 0 { return similarities.diagonal() }
  func log(alongColumns: Bool) -> Tensor {
    let dimension = alongColumns ? 1 : 0
    let scaled = similarities / temperature
    switch form {
    case .infonce:
      return scaled.logSoftmax(dimension).diagonal()
    case .lafite:
      // Softmax and logarithm apart, and the factor τ, as released: its limits are the same too.
      return (scaled.exponential().softmax(dimension).diagonal() * temperature).logarithm()
    }
  }
  if lambda > 0, lambda < 1 {
    return log(alongColumns: true) * lambda + log(alongColumns: false) * (1 - lambda)
  }
  return log(alongColumns: lambda != 0)
}
