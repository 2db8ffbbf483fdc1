/// Remembers what sites' `robots.txt` say; each is asked for once, however many rows wait for it.
actor RobotsCache {
  /// The rules of a site, or why they could not be had.
  typealias Answer = Result<RobotsRules, FetchCause>

  private enum Entry {
    case asking(Task<Answer, Never>)
    // A task that has ended still takes kilobytes: only its answer is kept.
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
    case .asking(let task): return await task.value
    case .known(let rules, let until) where until > .now: return .success(rules)
    case .known, nil: break
    }
    if entries.count >= Self.maximumSites || bytes >= Self.maximumBytes {
      (entries, bytes) = ([:], 0)
    }
    // A task of its own, so that the answer serves all even if the first row is cancelled.
    let task = Task { await request(url) }
    entries[site] = .asking(task)
    let answer = await task.value
    switch answer {
    case .success(let rules):
      entries[site] = .known(rules, until: .now + Self.lifetime)
      bytes += rules.size
    // No answer is not an answer: another attempt asks again.
    case .failure: entries[site] = nil
    }
    return answer
  }
}
