/// An error that keeps a training run from starting or continuing, in one line: what, where, and what to do.
package enum TrainingError: Error, CustomStringConvertible {
  /// An option that does not fit the others or the data.
  case option(String)
  /// The numbers of the run are no longer finite, or its networks have collapsed.
  case diverged(String)
  /// A checkpoint that cannot be continued.
  case checkpoint(String)
  /// An error outside of the run; the run can be continued.
  case stopped(String)

  package var description: String {
    switch self {
    case .option(let reason), .diverged(let reason), .checkpoint(let reason), .stopped(let reason):
      reason
    }
  }
}
