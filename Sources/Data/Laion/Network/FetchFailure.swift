import Files

/// What becomes of a request, at every level from one exchange up to the row: a value made of the body,
/// or why there is none.
typealias Fetched<Value> = Result<Value, FetchFailure>

/// Why a request gave no value.
///
/// Each level of `ImageFetcher` deals with one case and passes on the others.
enum FetchFailure: Error, Equatable {
  /// A kept connection ended before the first byte of the answer: the exchange sends the request once
  /// more over a new one.
  case dropped
  /// No connection came about: the hop tries the host's next address.
  case unreached(FetchCause)
  /// The body is at another URL: the attempt goes there.
  case redirected(WebURL)
  /// Anything else that is counted: the row makes another attempt if that may help, not before
  /// `retryAfter` seconds.
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

  /// Seconds for which the server wants to be left alone.
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
