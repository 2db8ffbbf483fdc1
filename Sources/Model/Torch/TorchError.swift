import CTorch

/// A failure of the environment that libtorch reports: no memory on the device, a file that is none.
///
/// Programming errors (shapes, types) are not thrown: they stop the program with libtorch's message.
public struct TorchError: Error, Sendable, CustomStringConvertible {
  /// One line: what failed and why.
  public let description: String

  /// An error with its own words.
  public init(_ description: String) { self.description = description }

  /// This thread's last failure in libtorch.
  static func last(_ context: String) -> TorchError {
    let message = String(cString: ct_error())
    let line = message.split(separator: "\n", omittingEmptySubsequences: true).first ?? "unknown"
    return TorchError("\(context): \(line)")
  }
}

/// Stops the program with the last failure: for errors that only a mistake in the code can cause.
func torchFailure(_ context: String) -> Never {
  fatalError(TorchError.last(context).description)
}
