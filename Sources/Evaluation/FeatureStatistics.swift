package import Torch

/// Mean and covariance of feature vectors, accumulated batch by batch in float64.
///
/// The covariance divides by n, as the FID of StyleGAN2 and LAFITE does, not by n − 1.
package struct FeatureStatistics {
  /// Length of a feature vector, D.
  package let dimension: Int
  /// Vectors after which further ones are ignored; `nil` for no limit.
  package let maximumCount: Int?
  /// Vectors seen, n.
  package private(set) var count = 0

  private var sum: Tensor  // [D]
  private var products: Tensor  // [D, D]
  private var kept: [Tensor]?

  /// Statistics of nothing yet.
  ///
  /// - Parameters:
  ///   - dimension: Length of a feature vector.
  ///   - maximumCount: Vectors after which further ones are ignored.
  ///   - keepingFeatures: Keeps the vectors themselves too, on the CPU.
  package init(dimension: Int, maximumCount: Int? = nil, keepingFeatures: Bool = false) {
    self.dimension = dimension
    self.maximumCount = maximumCount
    sum = .zeros([dimension], dtype: .float64)
    products = .zeros([dimension, dimension], dtype: .float64)
    kept = keepingFeatures ? [] : nil
  }

  /// Whether `maximumCount` is reached.
  package var isFull: Bool { maximumCount.map { count >= $0 } ?? false }

  /// Adds feature vectors, [m, D], of any floating type and device.
  package mutating func append(_ features: Tensor) {
    let (m, D) = features.shape2
    precondition(D == dimension, "features of length \(D) for statistics of length \(dimension)")
    let room = min(m, (maximumCount ?? .max) - count)
    if room <= 0 { return }
    let batch = features.detached().sliced(0, 0..<room)
    // Sums over one batch are taken where the features are; only they move to the CPU.
    let x = batch.to(.float64)
    sum = sum + x.sum(0).to(.cpu)
    products = products + x.transposed().matmul(x).to(.cpu)
    count += room
    kept?.append(batch.to(.cpu))
  }

  /// The mean, float64 [D].
  package var mean: Tensor {
    precondition(count > 0, "the mean of no features")
    return sum / Double(count)
  }

  /// The covariance, float64 [D, D].
  package var covariance: Tensor {
    let mean = mean
    let outer = mean.reshaped(dimension, 1).matmul(mean.reshaped(1, dimension))
    return products / Double(count) - outer
  }

  /// The vectors themselves, [n, D], if they are kept.
  package var features: Tensor? {
    kept.flatMap { $0.isEmpty ? nil : Tensor.concatenated($0) }
  }

  /// Writes the sums to a safetensors file, atomically; kept features are left out.
  package func save(to path: String, metadata: [String: String] = [:]) throws {
    try SafeTensors.write(
      [("count", Tensor([Int64(count)])), ("sum", sum), ("products", products)],
      metadata: metadata,
      to: path
    )
  }

  /// Reads what `save` wrote.
  package init(path: String) throws {
    let file = try SafeTensors(path: path)
    guard let count = file["count"], let sum = file["sum"], let products = file["products"],
      count.shape == [1], count.dtype == .int64, sum.rank == 1, sum.dtype == .float64,
      products.dtype == .float64, products.shape == [sum.count, sum.count], count.item >= 1
    else {
      throw EvaluationError.statistics(path: path, reason: "count, sum and products do not fit")
    }
    dimension = sum.count
    maximumCount = nil
    self.count = Int(count.item)
    self.sum = sum
    self.products = products
    kept = nil
  }
}
