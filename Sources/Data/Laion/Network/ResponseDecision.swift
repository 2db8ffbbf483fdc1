package import Foundation
package import Web

/// The action on a response, from its head alone.
package enum ResponseDecision: Equatable, Sendable {
  /// Read the body.
  case accept
  /// Send the request to this URL instead.
  case redirect(WebURL)
  /// Read no body; `RetryPolicy` decides whether to retry, `retryAfter` seconds later at the soonest.
  case fail(FetchCause, retryAfter: Double?)

  /// The head of a response, without the library that received it.
  package struct Head: Sendable {
    /// The status code.
    package var status: Int
    /// Names and values in order; names in any letter case.
    package var headers: [(name: String, value: String)]

    /// A head with some headers.
    package init(status: Int, headers: [(name: String, value: String)] = []) {
      self.status = status
      self.headers = headers
    }

    func values(_ name: String) -> [String] {
      headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
  }

  /// Decides.
  ///
  /// - Parameters:
  ///   - head: The head of the response.
  ///   - url: The requested URL.
  ///   - redirects: Redirects followed so far in this attempt.
  ///   - settings: Limits and directives.
  ///   - now: The time with which a date in `Retry-After` is compared.
  package init(
    _ head: Head,
    from url: WebURL,
    redirects: Int,
    settings: FetchSettings,
    now: Date = Date()
  ) {
    switch head.status {
    case 200, 203:
      self = Self.body(head, settings)
    case let status where WebURL.redirectStatuses.contains(status):
      self = Self.redirect(head, url, redirects, settings)
    default:
      let wait = head.values("retry-after").first.flatMap { Self.seconds($0, now) }
      self = .fail(.status(head.status), retryAfter: wait)
    }
  }

  /// Seconds from now that a `Retry-After` names, as a number or as a date (RFC 9110, section 10.2.3).
  private static func seconds(_ text: String, _ now: Date) -> Double? {
    if let seconds = Double(text) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return format.date(from: text).map { max(0, $0.timeIntervalSince(now)) }
  }

  private static func body(_ head: Head, _ settings: FetchSettings) -> ResponseDecision {
    let optsOut = RobotsTag.forbids(
      head.values("x-robots-tag"),
      directives: settings.optOutDirectives,
      agent: settings.productToken
    )
    if optsOut { return .fail(.optedOut, retryAfter: nil) }
    if let length = head.values("content-length").first.flatMap({ Int($0) }) {
      if length > settings.maximumBytes { return .fail(.tooManyBytes, retryAfter: nil) }
      if length == 0 { return .fail(.empty, retryAfter: nil) }
    }
    return .accept
  }

  private static func redirect(
    _ head: Head,
    _ url: WebURL,
    _ redirects: Int,
    _ settings: FetchSettings
  ) -> ResponseDecision {
    if redirects >= settings.maximumRedirects { return .fail(.tooManyRedirects, retryAfter: nil) }
    guard let location = head.values("location").first, let next = url.resolving(location) else {
      return .fail(.invalidRedirect, retryAfter: nil)
    }
    return .redirect(next)
  }
}

/// The `X-Robots-Tag` header, by which a server restricts the use of its files.
///
/// Directives are separated by commas; a directive may be addressed to one robot: `bot: noai`.
package enum RobotsTag {
  /// Whether one of `values` forbids us to use the file.
  ///
  /// - Parameters:
  ///   - values: All values of the header.
  ///   - directives: The directives that forbid.
  ///   - agent: Our User-Agent's product name.
  /// - Returns: Whether the file is off limits.
  package static func forbids(_ values: [String], directives: [String], agent: String) -> Bool {
    let directives = Set(directives.map { $0.lowercased() })
    return values.contains { value in
      // An address holds for the directives after it, up to the next one.
      var isAddressed = true
      return value.lowercased().split(separator: ",").contains { part in
        var directive = part.trimmingCharacters(in: .whitespaces)
        if let colon = directive.firstIndex(of: ":") {
          let name = directive[..<colon].trimmingCharacters(in: .whitespaces)
          // "unavailable_after: date" and "max-snippet: 5" are directives, not addresses.
          if !Self.directivesWithValues.contains(name) {
            isAddressed = name == agent.lowercased() || name == "*"
            directive = directive[directive.index(after: colon)...]
              .trimmingCharacters(in: .whitespaces)
          }
        }
        return isAddressed && directives.contains(directive)
      }
    }
  }

  private static let directivesWithValues: Set = [
    "unavailable_after", "max-snippet", "max-image-preview", "max-video-preview",
  ]
}
