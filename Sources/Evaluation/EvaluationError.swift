/// What can be wrong with files that an evaluation is given.
package enum EvaluationError: Error, Sendable, CustomStringConvertible {
  /// A file of network weights that does not fit its network.
  case weights(path: String, reason: String)
  /// A file of feature statistics that cannot be used.
  case statistics(path: String, reason: String)

  package var description: String {
    switch self {
    case .weights(let path, let reason):
      "\(path) does not hold the expected weights: \(reason); fetch it again"
    case .statistics(let path, let reason):
      "\(path) holds no feature statistics: \(reason); delete it to compute them again"
    }
  }
}
