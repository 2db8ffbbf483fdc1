import Web

/// A cache of sites' `robots.txt`; each is requested once, however many rows wait for it.
actor RobotsCache {
  /// The rules of a site, or the cause of the failed request.
  typealias Answer = Result<RobotsRules, FetchCause>

  private enum Entry {
    case requested(waiting: [CheckedContinuation<Answer, Never>])
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
  ///   - request: Requests the file; called when the cache has no fresh rules.
  /// - Returns: The rules, or the cause of the failure.
  func rules(
    for url: WebURL,
    request: @escaping @Sendable (WebURL) async -> Answer
  ) async -> Answer {
    let site = url.site
    switch entries[site] {
    case .requested: break
    case .known(let rules, let until) where until > .now: return .success(rules)
    case .known, nil: send(url, request)
    }
    return await withCheckedContinuation { continuation in
      guard case .requested(let waiting) = entries[site] else {
        return continuation.resume(returning: .failure(.robotsUnavailable))
      }
      entries[site] = .requested(waiting: waiting + [continuation])
    }
  }

  /// Requests the file in a task of its own, so that the answer serves all rows even if the first is
  /// cancelled.
  private func send(_ url: WebURL, _ request: @escaping @Sendable (WebURL) async -> Answer) {
    makeRoom()
    entries[url.site] = .requested(waiting: [])
    Task { note(await request(url), of: url.site) }
  }

  /// Caches an answer and resumes the waiting rows first come, first served: a task's own `value` would
  /// resume the last one first, and its row would be requested first.
  private func note(_ answer: Answer, of site: String) {
    guard case .requested(let waiting) = entries[site] else { return }
    switch answer {
    case .success(let rules):
      entries[site] = .known(rules, until: .now + Self.lifetime)
      bytes += rules.size
    // A failure is not cached: a retry requests the file again.
    case .failure: entries[site] = nil
    }
    for continuation in waiting { continuation.resume(returning: answer) }
  }

  private func makeRoom() {
    if entries.count < Self.maximumSites, bytes < Self.maximumBytes { return }
    entries = entries.filter { if case .requested = $0.value { true } else { false } }
    bytes = 0
  }
}
