/// One request of an attempt, as far as it is known before a connection is chosen.
struct FetchRequest: Sendable {
  /// What is requested.
  enum Subject: Sendable {
    /// An image: opt-outs are respected, a body beyond the limit is a failure.
    case image
    /// A `robots.txt`: a body beyond the limit is cut off there.
    case robots
  }

  /// Where to; a redirect changes it.
  var url: WebURL
  let subject: Subject
  /// Of the requests that wait for a slot the one with the lowest order goes first.
  let order: Int
  /// Whether an attempt failed before this one.
  let isRetry: Bool
  /// Redirects followed so far in this attempt.
  var redirects = 0
}
