import Archives
import Files
import Torch

/// Moments of features in an `.npz` file with the arrays `mu` [D] and `sigma` [D, D], as pytorch-fid
/// and its descendants exchange them.
///
/// Those divide a covariance by n − 1, the original code and nifty by n. A file of nifty follows their
/// convention, with the number of vectors as `count`, by which nifty recovers its own covariance; files of
/// others are read unchanged.
extension FeatureMoments {
  /// The limit on the length of a feature.
  private static let maximumDimension = 16_384

  /// Reads a file; its arrays may be stored or deflated.
  ///
  /// - Throws: `ArchiveError` for a broken zip or array, `EvaluationError.statistics` if the arrays do
  ///   not fit each other.
  package init(npz path: String) throws {
    let zip = try ZipArchive(path)
    func refusal(_ reason: String) -> EvaluationError { .moments(path: path, reason: reason) }
    func array(_ name: String, rows: Int) throws -> NpyArray? {
      guard let index = zip.index(of: name) else { return nil }
      let limit = rows * Self.maximumDimension * 8 + 10_240
      let bytes = MappedBytes(copying: try zip.contents(at: index, limit: limit))
      return try NpyArray(bytes, path: path, entry: name)
    }
    guard let mu = try array("mu.npy", rows: 1) else {
      throw refusal("it has no array mu; expected mu and sigma")
    }
    let D = mu.rows
    guard mu.columns == 1, (1...Self.maximumDimension).contains(D), mu.element != .int64 else {
      throw refusal("mu has \(mu.rows) × \(mu.columns) \(mu.element) numbers")
    }
    guard let sigma = try array("sigma.npy", rows: D) else {
      throw refusal("it has no array sigma; expected mu and sigma")
    }
    guard sigma.rows == D, sigma.columns == D, sigma.element != .int64 else {
      throw refusal("sigma has \(sigma.rows) × \(sigma.columns) \(sigma.element) numbers, mu \(D)")
    }
    let mean = Tensor((0..<D).flatMap { mu.doubles(row: $0) })
    var covariance = Tensor((0..<D).flatMap { sigma.doubles(row: $0) }, shape: [D, D])
    guard mean.isFinite, covariance.isFinite else { throw refusal("its numbers are not finite") }
    // A score of anything else would be a number without a meaning, even a negative one.
    let largest = covariance.diagonal().values(Double.self).map(abs).max() ?? 0
    guard covariance.diagonal().values(Double.self).allSatisfy({ $0 >= -1e-6 * largest }) else {
      throw refusal("sigma is no covariance: a variance is negative")
    }
    guard
      (covariance - covariance.transposed()).values(Double.self).allSatisfy({
        abs($0) <= 1e-3 * largest
      })
    else { throw refusal("sigma is no covariance: it is not symmetric") }
    if let count = try array("count.npy", rows: 1) {
      guard count.rows == 1, count.columns == 1, count.element == .int64 else {
        throw refusal("count has \(count.rows) × \(count.columns) \(count.element) numbers, not 1")
      }
      let n = Double(count.integer(row: 0))
      guard n > 1 else { throw refusal("it claims to be made of \(Int(n)) vectors") }
      covariance = covariance * ((n - 1) / n)
    }
    self.init(mean: mean, covariance: covariance)
  }
}

extension FeatureStatistics {
  /// Writes mean and covariance as pytorch-fid does, atomically.
  package func write(npz path: String) throws {
    precondition(count > 1, "a covariance by n − 1 of \(count) vectors")
    let n = Double(count)
    let sigma = covariance * (n / (n - 1))
    let zip = try ZipWriter(path)
    try zip.add("mu.npy", NpyArray.encode(mean.values(), shape: [dimension]))
    try zip.add("sigma.npy", NpyArray.encode(sigma.values(), shape: [dimension, dimension]))
    try zip.add("count.npy", NpyArray.encode([count]))
    try zip.finish()
  }
}
