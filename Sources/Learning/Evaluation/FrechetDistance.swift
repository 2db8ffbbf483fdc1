package import Torch

/// The Fréchet distance between two Gaussians, |μ₁ − μ₂|² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½) (Heusel et al.,
/// arXiv 1706.08500, equation 6).
///
/// It is called FID only if the features are Inception-v3's of the original TensorFlow graph. The trace
/// of (Σ₁Σ₂)^½ is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric: eigenvalues of symmetric matrices in
/// float64 need no complex square root and no offset for singular covariances.
///
/// - Parameters:
///   - real: Moments of the reference.
///   - generated: Moments of the generated images.
/// - Returns: 0 or more; equal Gaussians give 0 up to rounding.
package func frechetDistance(real: FeatureStatistics, generated: FeatureStatistics) -> Double {
  frechetDistance(real: real.moments, generated: generated.moments)
}

/// The Fréchet distance of moments.
package func frechetDistance(real: FeatureMoments, generated: FeatureMoments) -> Double {
  frechetDistance(
    means: (real.mean, generated.mean),
    covariances: (real.covariance, generated.covariance)
  )
}

/// The Fréchet distance of given moments.
///
/// - Parameters:
///   - means: Two vectors, float64 [D].
///   - covariances: Two symmetric matrices, float64 [D, D].
/// - Returns: The distance.
package func frechetDistance(
  means: (Tensor, Tensor),
  covariances: (Tensor, Tensor)
) -> Double {
  precondition(
    means.0.shape == means.1.shape,
    "features of lengths \(means.0.shape) and \(means.1.shape)"
  )
  let reference = FrechetReference(FeatureMoments(mean: means.0, covariance: covariances.0))
  return reference.distance(to: FeatureMoments(mean: means.1, covariance: covariances.1))
}

/// One side of a Fréchet distance, ready to be compared with several others.
struct FrechetReference {
  private let moments: FeatureMoments
  private let root: Tensor

  init(_ moments: FeatureMoments) {
    self.moments = moments
    root = symmetricRoot(moments.covariance)
  }

  func distance(to other: FeatureMoments) -> Double {
    let meanTerm = (moments.mean - other.mean).squared().sum().item
    let traces =
      moments.covariance.diagonal().sum().item + other.covariance.diagonal().sum().item
    return meanTerm + traces - 2 * rootOfProductTrace(root: root, other.covariance)
  }
}

/// Tr((AB)^½) for symmetric positive semi-definite matrices, float64 [D, D].
package func rootOfProductTrace(_ a: Tensor, _ b: Tensor) -> Double {
  rootOfProductTrace(root: symmetricRoot(a), b)
}

/// The same with A^½ given.
private func rootOfProductTrace(root: Tensor, _ b: Tensor) -> Double {
  let product = root.matmul(b).matmul(root)
  let symmetric = (product + product.transposed()) * 0.5
  return symmetric.symmetricEigen().values.clamped(from: 0).squareRoot().sum().item
}

/// A^½ of a symmetric positive semi-definite matrix.
private func symmetricRoot(_ a: Tensor) -> Tensor {
  let (values, vectors) = a.symmetricEigen()
  // Rounding makes zero eigenvalues slightly negative.
  let roots = values.clamped(from: 0).squareRoot()
  return (vectors * roots.reshaped(1, roots.count)).matmul(vectors.transposed())
}
