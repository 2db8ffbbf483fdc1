import Web

/// One request of an attempt, before a connection is chosen.
struct FetchRequest: Sendable {
  /// The kind of resource.
  enum Subject: Sendable {
    /// An image: opt-outs are respected, a body beyond the limit is a failure.
    case image
    /// A `robots.txt`: a body beyond the limit is cut off there.
    case robots
  }

  /// The URL; a redirect changes it.
  var url: WebURL
  let subject: Subject
  /// The priority among requests that wait for a slot; the lowest goes first.
  let order: Int
  /// Whether an attempt failed before this one.
  let isRetry: Bool
  /// Redirects followed so far in this attempt.
  var redirects = 0
}
