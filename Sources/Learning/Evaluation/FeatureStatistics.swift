package import Torch

/// Mean and covariance of feature vectors, accumulated batch by batch in float64.
///
/// The covariance divides by n, as the FID of StyleGAN2 and LAFITE does, not by n − 1.
package struct FeatureStatistics {
  /// Length of a feature vector, D.
  package let dimension: Int
  /// The limit on vectors; further ones are ignored; `nil` for none.
  package let maximumCount: Int?
  /// Vectors seen, n.
  package private(set) var count = 0

  private var sum: Tensor  // [D]
  private var products: Tensor  // [D, D]
  private var kept: [Tensor]?

  /// Statistics of no vectors.
  ///
  /// - Parameters:
  ///   - dimension: Length of a feature vector.
  ///   - maximumCount: The limit on vectors; further ones are ignored.
  ///   - keepingFeatures: Keeps the vectors themselves, too, on the CPU.
  package init(dimension: Int, maximumCount: Int? = nil, keepingFeatures: Bool = false) {
    self.dimension = dimension
    self.maximumCount = maximumCount
    sum = .zeros([dimension], dtype: .float64)
    products = .zeros([dimension, dimension], dtype: .float64)
    kept = keepingFeatures ? [] : nil
  }

  /// Where the sums are: with the features of the last batch.
  var device: Device { products.device }

  /// Whether `maximumCount` is reached.
  package var isFull: Bool { maximumCount.map { count >= $0 } ?? false }

  /// Adds feature vectors, [m, D], of any floating type and device.
  package mutating func append(_ features: Tensor) {
    let (m, D) = features.shape2
    precondition(D == dimension, "features of length \(D) for statistics of length \(dimension)")
    let room = min(m, (maximumCount ?? .max) - count)
    if room <= 0 { return }
    let batch = features.detached().sliced(0, 0..<room)
    // The sums stay where the features are: those of 2,048 numbers are 32 MiB, and a score has thousands of
    // batches.
    let x = batch.to(.float64)
    sum = sum.to(x.device) + x.sum(0)
    products = products.to(x.device) + x.transposed().matmul(x)
    count += room
    kept?.append(batch.to(.cpu))
  }

  /// The mean, float64 [D].
  package var mean: Tensor {
    precondition(count > 0, "the mean of no features")
    return sum.to(.cpu) / Double(count)
  }

  /// The covariance, float64 [D, D].
  package var covariance: Tensor {
    let mean = mean
    let outer = mean.reshaped(dimension, 1).matmul(mean.reshaped(1, dimension))
    return products.to(.cpu) / Double(count) - outer
  }

  /// Mean and covariance.
  package var moments: FeatureMoments { FeatureMoments(mean: mean, covariance: covariance) }

  /// The vectors themselves, [n, D], if they are kept.
  package var features: Tensor? {
    kept.flatMap { $0.isEmpty ? nil : Tensor.concatenated($0) }
  }

  /// Writes the sums, and the vectors if they are kept, to a safetensors file, atomically.
  package func save(to path: String, metadata: [String: String] = [:]) throws {
    var tensors = [
      ("count", Tensor([Int64(count)])), ("sum", sum.to(.cpu)), ("products", products.to(.cpu)),
    ]
    if let features { tensors.append(("features", features.to(.float32))) }
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }

  /// Reads the file of `save`.
  ///
  /// - Throws: `EvaluationError.statistics` if its tensors do not fit each other or are not finite.
  package init(path: String) throws {
    try self.init(SafeTensors(path: path))
  }

  init(_ file: SafeTensors) throws {
    func refusal(_ reason: String) -> EvaluationError {
      .statistics(path: file.path, reason: reason)
    }
    guard let count = file["count"], let sum = file["sum"], let products = file["products"],
      count.shape == [1], count.dtype == .int64, sum.rank == 1, sum.dtype == .float64,
      products.dtype == .float64, products.shape == [sum.count, sum.count], count.item >= 1,
      let number = Int(exactly: count.item)
    else { throw refusal("count, sum and products do not fit") }
    guard sum.isFinite, products.isFinite else { throw refusal("its sums are not finite") }
    dimension = sum.count
    maximumCount = nil
    self.count = number
    self.sum = sum
    self.products = products
    if let features = file["features"] {
      guard features.shape == [self.count, dimension], features.dtype == .float32 else {
        throw refusal("\(self.count) features of \(dimension) are \(features)")
      }
      kept = [features]
    }
  }
}

/// Mean and covariance of features: all that a Fréchet distance needs.
package struct FeatureMoments {
  /// The mean, float64 [D].
  package let mean: Tensor
  /// The covariance, float64 [D, D].
  package let covariance: Tensor

  /// Moments that belong together.
  package init(mean: Tensor, covariance: Tensor) {
    let D = mean.count
    precondition(
      mean.shape == [D] && covariance.shape == [D, D],
      "a mean of shape \(mean.shape) with a covariance of \(covariance.shape)"
    )
    self.mean = mean
    self.covariance = covariance
  }
}
