import Files
import Web

/// The result of a request, at every level from one exchange up to an attempt: a value made of the body,
/// or the failure.
typealias Fetched<Value> = Result<Value, FetchFailure>

/// The failure of a request.
///
/// Each level of `ImageFetcher` deals with one case and passes on the others.
enum FetchFailure: Error, Equatable {
  /// A kept-alive connection closed before the first byte of the response: the exchange retries over a
  /// new one.
  case dropped
  /// Connecting failed: the hop tries the host's next address.
  case unreached(FetchCause)
  /// The body is at another URL: the attempt goes there.
  case redirected(WebURL)
  /// Any other failure: the row is retried if the cause is transient, after `retryAfter` seconds at the
  /// soonest.
  case failed(FetchCause, retryAfter: Double? = nil)
  /// The disk refused the image: the run ends.
  case disk(FileError)

  /// The cause by which it is counted.
  ///
  /// - Throws: The error of a disk that refused the image, which ends the run.
  var cause: FetchCause {
    get throws(FileError) {
      switch self {
      case .dropped: .connectionLost
      case .unreached(let cause), .failed(let cause, _): cause
      case .redirected: .tooManyRedirects
      case .disk(let error): throw error
      }
    }
  }

  /// Seconds of the server's `Retry-After`.
  var retryAfter: Double? {
    if case .failed(_, let seconds) = self { seconds } else { nil }
  }
}

extension Result where Failure == FetchFailure {
  /// Whether a deadline ran out.
  var isTimeout: Bool {
    if case .failure(let failure) = self { (try? failure.cause) == .timedOut } else { false }
  }
}
