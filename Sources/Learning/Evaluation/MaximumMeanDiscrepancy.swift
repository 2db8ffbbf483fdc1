package import Torch

/// A kernel on feature vectors of unit length.
package enum FeatureKernel: Equatable, Sendable {
  /// (x·y + 1)³: the kernel of KID, (x·y / D + 1)³, on features of length √D (Bińkowski et al., arXiv
  /// 1801.01401, section 4). It sees differences of means, covariances and skewness, and needs no width.
  case cubic
  /// exp(−|x − y|² / 2σ²) (Jayasumana et al., arXiv 2401.09603, section 4: σ = 10).
  case gaussian(sigma: Double)

  /// k(x, x), the same for all vectors.
  var ofEqual: Double {
    switch self {
    case .cubic: 8
    case .gaussian: 1
    }
  }

  /// All pairs of rows, from their cosines.
  func values(_ cosines: Tensor) -> Tensor {
    switch self {
    case .cubic: (cosines + 1).power(3)
    // |x − y|² = 2 − 2 x·y
    case .gaussian(let sigma): ((cosines - 1) / (sigma * sigma)).exponential()
    }
  }
}

/// The squared maximum mean discrepancy of two sets of features, brought to unit length (Gretton et al.,
/// "A Kernel Two-Sample Test", JMLR 13, 2012).
///
/// All pairs are used; sums run in the order of the images, in float64.
package struct MaximumMeanDiscrepancy: Equatable, Sendable {
  /// The unbiased estimate: around 0 for equal distributions, and possibly negative.
  package let unbiased: Double
  /// The estimate that counts the pairs of an image with itself: 0 or more, and larger for few images.
  package let biased: Double
  /// The standard error of `unbiased`, by the jackknife of two samples.
  ///
  /// Each image is left out once (Arvesen, "Jackknifing U-Statistics", Annals of Mathematical Statistics
  /// 40, 1969). It errs on the large side (Efron and Stein, Annals of Statistics 9, 1981). NaN with fewer
  /// than three images a side.
  package let standardError: Double

  /// Compares two sets.
  ///
  /// - Parameters:
  ///   - real: Features of the reference, of any length, [n, D], n ≥ 2.
  ///   - generated: Features of the generated images, of any length, [m, D], m ≥ 2.
  ///   - kernel: The kernel.
  ///   - rows: Rows of a matrix of pairs computed at once: bounds memory.
  package init(real: Tensor, generated: Tensor, kernel: FeatureKernel, rows: Int = 1000) {
    let (x, y) = (real.to(.float64).normalized(), generated.to(.float64).normalized())
    let sums = (
      KernelSums(x, others: y, kernel, rows: rows), KernelSums(y, others: x, kernel, rows: rows)
    )
    let (n, m) = (Double(sums.0.within.count), Double(sums.1.within.count))
    precondition(min(n, m) >= 2, "\(n) and \(m) vectors have no pairs")
    let across = sums.0.acrossTotal
    let own = (sums.0.withinTotal / (n * (n - 1)), sums.1.withinTotal / (m * (m - 1)))
    unbiased = own.0 + own.1 - 2 * across / (n * m)
    let diagonal = kernel.ofEqual
    biased =
      (sums.0.withinTotal + n * diagonal) / (n * n)
      + (sums.1.withinTotal + m * diagonal) / (m * m) - 2 * across / (n * m)
    let variance =
      sums.0.jackknifeVariance(otherPairs: own.1, others: m)
      + sums.1.jackknifeVariance(otherPairs: own.0, others: n)
    standardError = variance.squareRoot()
  }
}

/// Sums of kernel values of each vector of a set: with the others of its set, and with the other set.
private struct KernelSums {
  var within: [Double] = []
  var across: [Double] = []
  var withinTotal: Double { within.reduce(0, +) }
  var acrossTotal: Double { across.reduce(0, +) }

  init(_ x: Tensor, others y: Tensor, _ kernel: FeatureKernel, rows: Int) {
    let (ownColumns, otherColumns) = (x.transposed(), y.transposed())
    for start in stride(from: 0, to: x.size(0), by: rows) {
      let part = x.sliced(0, start..<min(start + rows, x.size(0)))
      within += kernel.values(part.matmul(ownColumns)).sum(1).values(Double.self).map {
        $0 - kernel.ofEqual
      }
      across += kernel.values(part.matmul(otherColumns)).sum(1).values(Double.self)
    }
  }

  /// (n − 1) / n · Σ (θ₍ᵢ₎ − mean)², where θ₍ᵢ₎ is the unbiased estimate without vector i.
  ///
  /// - Parameters:
  ///   - otherPairs: Mean kernel value of the other set's pairs.
  ///   - m: Vectors of the other set.
  /// - Returns: This set's term of the variance.
  func jackknifeVariance(otherPairs: Double, others m: Double) -> Double {
    let n = Double(within.count)
    let (pairs, cross) = (withinTotal, acrossTotal)
    let without = zip(within, across).map { own, other in
      (pairs - 2 * own) / ((n - 1) * (n - 2)) + otherPairs - 2 * (cross - other) / ((n - 1) * m)
    }
    let mean = without.reduce(0, +) / n
    return (n - 1) / n * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  }
}
