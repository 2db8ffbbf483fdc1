// Sums, means, extremes, matrix products and decompositions.

extension Tensor {
  /// The sum of all elements.
  public func sum() -> Tensor { Reduce.sum(self) }
  /// The sum over dimensions, which disappear or are kept with size 1.
  public func sum(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Reduce.sumAlong(self, dimensions, keeping)
  }
  /// The mean of all elements.
  public func mean() -> Tensor { Reduce.mean(self) }
  /// The mean over dimensions, which disappear or are kept with size 1.
  public func mean(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Reduce.meanAlong(self, dimensions, keeping)
  }
  /// The variance over a dimension, divided by n − `correction`.
  public func variance(_ dimension: Int, correction: Int = 1, keeping: Bool = false) -> Tensor {
    Reduce.variance(self, [dimension], correction, keeping)
  }
  /// The largest element over dimensions.
  public func largest(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Reduce.amax(self, dimensions, keeping)
  }
  /// The smallest element over dimensions.
  public func smallest(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Reduce.amin(self, dimensions, keeping)
  }
  /// The largest absolute value over dimensions.
  public func largestMagnitude(_ dimensions: Int..., keeping: Bool = false) -> Tensor {
    Reduce.vectorNorm(self, Double.infinity, dimensions.isEmpty ? nil : dimensions, keeping)
  }
  /// The Euclidean norm over one dimension.
  public func norm(_ dimension: Int, keeping: Bool = false) -> Tensor {
    Reduce.vectorNorm(self, 2.0, [dimension], keeping)
  }
  /// Where the largest element of a dimension is, int64.
  public func indexOfLargest(_ dimension: Int) -> Tensor { Reduce.argmax(self, dimension, false) }
  /// The elements of one dimension in ascending order, and where they were.
  public func sorted(_ dimension: Int = -1, descending: Bool = false) -> (Tensor, Tensor) {
    let both = Reduce.sort.list(self, dimension, descending)
    return (both[0], both[1])
  }
  /// The `k`-th smallest element of a dimension (from 1).
  public func kthSmallest(_ k: Int, _ dimension: Int = -1) -> Tensor {
    Reduce.kthvalue.list(self, k, dimension)[0]
  }

  /// The matrix product, batched over leading dimensions.
  public func matmul(_ other: Tensor) -> Tensor { Reduce.matmul(self, other) }

  /// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix.
  public func symmetricEigen() -> (values: Tensor, vectors: Tensor) {
    let both = Reduce.eigh.list(self)
    return (both[0], both[1])
  }

  /// Euclidean distances of every row of `self` [n, d] to every row of `other` [m, d]: [n, m].
  public func distances(to other: Tensor) -> Tensor { Reduce.cdist(self, other, 2.0) }

  /// exp(x) / Σ exp(x) over a dimension.
  public func softmax(_ dimension: Int) -> Tensor { Reduce.softmax(self, dimension) }
  /// log softmax over a dimension, stable.
  public func logSoftmax(_ dimension: Int) -> Tensor { Reduce.logSoftmax(self, dimension) }

  /// Divides by the Euclidean norm over the last dimension, without epsilon.
  public func normalized(_ dimension: Int = -1) -> Tensor {
    self / norm(dimension, keeping: true)
  }

  /// Mean cross-entropy of logits [N, K] against class indices [N], int64.
  public func crossEntropy(_ classes: Tensor) -> Tensor { Reduce.crossEntropy(self, classes) }

  /// Whether all elements are finite.
  public var isFinite: Bool { Reduce.all(Reduce.isFinite(self)).item != 0 }
}

private enum Reduce {
  static let sum = Operator("aten::sum")
  static let sumAlong = Operator("aten::sum.dim_IntList")
  static let mean = Operator("aten::mean")
  static let meanAlong = Operator("aten::mean.dim")
  static let variance = Operator("aten::var.correction")
  static let amax = Operator("aten::amax")
  static let amin = Operator("aten::amin")
  static let vectorNorm = Operator("aten::linalg_vector_norm")
  static let argmax = Operator("aten::argmax")
  static let sort = Operator("aten::sort")
  static let kthvalue = Operator("aten::kthvalue")
  static let matmul = Operator("aten::matmul")
  static let eigh = Operator("aten::linalg_eigh")
  static let cdist = Operator("aten::cdist")
  static let softmax = Operator("aten::softmax.int")
  static let logSoftmax = Operator("aten::log_softmax.int")
  static let crossEntropy = Operator("aten::cross_entropy_loss")
  static let isFinite = Operator("aten::isfinite")
  static let all = Operator("aten::all")
}
