import Foundation
import NIOCore

/// Requests images: politely, within limits, again when that may help.
struct ImageFetcher: Sendable {
  private let clients: PinnedClients
  private let gate: HostGate
  private let robots = RobotsCache()
  private let settings: FetchSettings
  private let policy: RetryPolicy

  init(clients: PinnedClients, settings: FetchSettings) {
    self.clients = clients
    self.settings = settings
    gate = HostGate(
      limit: settings.concurrency,
      limitPerHost: settings.concurrencyPerHost,
      ratePerHost: settings.requestsPerSecondPerHost
    )
    policy = RetryPolicy(attempts: settings.attempts, delay: settings.retryDelay)
  }

  /// Requests an image and hands the whole body to `process`.
  ///
  /// The place among the requests in flight is kept while `process` runs, so that bodies cannot
  /// pile up in memory when decoding is slower than the network.
  func fetch<Value: Sendable>(
    _ address: String,
    process: @Sendable (ByteBuffer) async -> Value
  ) async -> Result<Value, FetchCause> {
    guard let url = WebURL(address) else { return .failure(.invalidURL) }
    var attempt = 1
    while true {
      switch await follow(url, .image, isAgain: attempt > 1, process) {
      case .value(let value): return .success(value)
      case .redirect: return .failure(.tooManyRedirects)
      case .failure(let cause, let retryAfter):
        let wait = policy.wait(
          after: cause,
          attempt: attempt,
          retryAfter: retryAfter,
          jitter: .random(in: 0..<1)
        )
        guard let wait, !Task.isCancelled else { return .failure(cause) }
        try? await Task.sleep(for: .seconds(wait))
        attempt += 1
      }
    }
  }

  /// One attempt: follows redirects, each to a host that is resolved, checked and pinned anew.
  private func follow<Value: Sendable>(
    _ url: WebURL,
    _ subject: Exchange.Subject,
    isAgain: Bool,
    _ process: @Sendable (ByteBuffer) async -> Value
  ) async -> Exchange.Step<Value> {
    var url = url
    var budget = Duration.seconds(settings.totalTimeout)
    for redirects in 0...settings.maximumRedirects {
      if subject == .image, let cause = await refusal(of: url, isAgain: isAgain) {
        return .failure(cause)
      }
      let lease: PinnedClients.Lease
      switch await clients.lease(url.host, insists: isAgain) {
      case .success(let leased): lease = leased
      case .failure(let cause): return .failure(cause)
      }
      let exchange = Exchange(
        url: url,
        subject: subject,
        redirects: redirects,
        settings: settings
      )
      let left = budget
      // After the rules comes the image. After the image, a connection to a host that nobody else wants
      // would only wait to be closed, in thousands.
      let keeps = subject == .robots
      let (step, elapsed) = await gate.withPlace(at: url.host) { isShared in
        let start = ContinuousClock.now
        let step = await exchange.run(
          lease.client,
          or: { [clients] in await clients.fresh(exchange.url.host, lease) },
          keepsConnection: keeps || isShared,
          within: left
        )
        let elapsed = start.duration(to: .now)
        if keeps || isShared, step.mayKeepConnection {
          await clients.noteAnswer(of: exchange.url.host, lease)
        }
        switch step {
        case .value(let body): return (Exchange.Step.value(await process(body)), elapsed)
        case .redirect(let next): return (Exchange.Step<Value>.redirect(next), elapsed)
        case .failure(let cause, let after):
          return (Exchange.Step<Value>.failure(cause, retryAfter: after), elapsed)
        }
      }
      await clients.release(lease)
      guard case .redirect(let next) = step else { return step }
      url = next
      budget -= elapsed
    }
    return .failure(.tooManyRedirects)
  }

  /// Why the site's `robots.txt` keeps us from requesting `url`; `nil` when it does not.
  private func refusal(of url: WebURL, isAgain: Bool) async -> FetchCause? {
    guard settings.followsRobots else { return nil }
    let answer = await robots.rules(for: url) { url in
      guard let address = url.resolving("/robots.txt") else { return .success(.allowingAll) }
      return await rules(at: address, isAgain: isAgain)
    }
    switch answer {
    case .success(let rules): return rules.allow(url.target) ? nil : .robotsDisallowed
    case .failure(let cause): return cause
    }
  }

  /// The rules in a file, by RFC 9309, section 2.3.1: a site without the file allows all, one that
  /// cannot answer allows nothing.
  private func rules(at address: WebURL, isAgain: Bool) async -> RobotsCache.Answer {
    let agent = String(settings.userAgent.prefix { $0 != "/" && $0 != " " })
    let step = await follow(address, .robots, isAgain: isAgain) { body in
      RobotsRules(body.readableBytesView, agent: agent)
    }
    switch step {
    case .value(let rules): return .success(rules)
    case .failure(.status(let code), _) where code == 429 || code >= 500:
      return .failure(.robotsUnavailable)
    case .failure(.status, _), .failure(.empty, _), .failure(.tooManyRedirects, _),
      .failure(.invalidRedirect, _), .redirect:
      return .success(.allowingAll)
    // A host that cannot be reached for this cannot be reached for the image either.
    case .failure(let cause, _): return .failure(cause)
    }
  }
}
