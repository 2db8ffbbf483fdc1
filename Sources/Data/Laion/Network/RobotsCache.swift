/// Remembers what sites' `robots.txt` say; each is asked for once, however many rows wait for it.
actor RobotsCache {
  /// The rules of a site, or why they could not be had.
  typealias Answer = Result<RobotsRules, FetchCause>

  private enum Entry {
    case asking(waiting: [CheckedContinuation<Answer, Never>])
    case known(RobotsRules, until: ContinuousClock.Instant)
  }

  private var entries: [String: Entry] = [:]
  private var bytes = 0

  // RFC 9309, section 2.4: not longer than 24 hours.
  private static let lifetime = Duration.seconds(6 * 3600)
  private static let maximumSites = 50_000
  private static let maximumBytes = 16 << 20

  /// The rules of the site of `url`.
  ///
  /// - Parameters:
  ///   - url: An address on the site.
  ///   - request: Asks the site; called when nothing is known.
  /// - Returns: What the site says now, or has said lately.
  func rules(
    for url: WebURL,
    request: @escaping @Sendable (WebURL) async -> Answer
  ) async -> Answer {
    let site = url.site
    switch entries[site] {
    case .asking: break
    case .known(let rules, let until) where until > .now: return .success(rules)
    case .known, nil: ask(url, request)
    }
    return await withCheckedContinuation { continuation in
      guard case .asking(let waiting) = entries[site] else {
        return continuation.resume(returning: .failure(.robotsUnavailable))
      }
      entries[site] = .asking(waiting: waiting + [continuation])
    }
  }

  /// Asks in a task of its own, so that the answer serves all even if the first row is cancelled.
  private func ask(_ url: WebURL, _ request: @escaping @Sendable (WebURL) async -> Answer) {
    makeRoom()
    entries[url.site] = .asking(waiting: [])
    Task { note(await request(url), of: url.site) }
  }

  /// Keeps an answer, and hands it to those who wait in the order in which they came: a task's own
  /// `value` would hand it to the last one first, and its row would be requested first.
  private func note(_ answer: Answer, of site: String) {
    guard case .asking(let waiting) = entries[site] else { return }
    switch answer {
    case .success(let rules):
      entries[site] = .known(rules, until: .now + Self.lifetime)
      bytes += rules.size
    // No answer is not an answer: another attempt asks again.
    case .failure: entries[site] = nil
    }
    for continuation in waiting { continuation.resume(returning: answer) }
  }

  private func makeRoom() {
    if entries.count < Self.maximumSites, bytes < Self.maximumBytes { return }
    entries = entries.filter { if case .asking = $0.value { true } else { false } }
    bytes = 0
  }
}
