/// An error of an evaluation's files or options.
package enum EvaluationError: Error, Sendable, CustomStringConvertible {
  /// A file of network weights that does not fit its network.
  case weights(path: String, reason: String)
  /// An invalid file of feature statistics.
  case statistics(path: String, reason: String)
  /// An invalid file of moments.
  case moments(path: String, reason: String)
  /// A TorchScript detector that cannot be loaded, or failed.
  case detector(path: String, reason: String)
  /// An image encoder that cannot be loaded, or failed.
  case encoder(path: String, reason: String)
  /// A file that holds no classifier of pictures.
  case classifier(path: String, reason: String)
  /// A generator that paints NaN or infinity.
  case notFinite
  /// An option that does not fit the data or the other options.
  case option(String)

  package var description: String {
    switch self {
    case .weights(let path, let reason):
      "\(path) does not hold the expected weights: \(reason); fetch it again"
    case .statistics(let path, let reason):
      "\(path) holds no feature statistics: \(reason); delete it to compute them again"
    case .moments(let path, let reason):
      "\(path) holds no statistics of features: \(reason)"
    case .detector(let path, let reason):
      "\(path) is not the expected detector: \(reason); see nifty fetch weights --help"
    case .encoder(let path, let reason):
      "\(path) is no image encoder in TorchScript: \(reason)"
    case .classifier(let path, let reason):
      "\(path) holds no classifier of pictures: \(reason); make one with nifty classifier"
    case .notFinite:
      "the network paints no numbers (NaN or infinity): its run had collapsed; score an earlier snapshot"
    case .option(let reason): reason
    }
  }
}
