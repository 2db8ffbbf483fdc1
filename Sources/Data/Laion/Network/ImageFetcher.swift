import Foundation
import NIOCore

/// Requests images: politely, within limits, again when that may help.
struct ImageFetcher: Sendable {
  private let clients: PinnedClients
  private let gate: HostGate
  private let robots = RobotsCache()
  private let silent: SilentHosts
  /// For the bodies of all requests.
  let bodies: MemoryBudget
  private let denied: DenyList
  private let settings: FetchSettings
  private let policy: RetryPolicy

  init(clients: PinnedClients, settings: FetchSettings, denied: DenyList = DenyList()) {
    self.clients = clients
    self.settings = settings
    self.denied = denied
    // Whoever asks for more connections wants them in use.
    let least = 2 * Exchange.firstRoom * settings.concurrency
    bodies = MemoryBudget(limit: max(settings.maximumBytesInFlight, least))
    silent = SilentHosts(limit: settings.silentHostLimit, pause: .seconds(settings.silentHostPause))
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
  ///
  /// - Parameters:
  ///   - address: Where the image is.
  ///   - order: Of those who wait for a place the lowest goes first.
  ///   - process: Takes the body.
  /// - Returns: What it made of it, or why there was none.
  func fetch<Value: Sendable>(
    _ address: String,
    order: Int = 0,
    process: @Sendable (ByteBuffer) async -> Value
  ) async -> Result<Value, FetchCause> {
    guard let url = WebURL(address) else { return .failure(.invalidURL) }
    var attempt = 1
    var earlier: FetchCause?
    while true {
      let step = await follow(url, .image, order: order, isAgain: attempt > 1, process)
      if case .value(let value) = step { return .success(value) }
      guard let (cause, retryAfter) = step.failure else { return .failure(.tooManyRedirects) }
      // The row itself may have found out that the host is silent.
      if cause == .silentHost { return .failure(earlier ?? cause) }
      let wait = policy.wait(
        after: cause,
        attempt: attempt,
        retryAfter: retryAfter,
        jitter: .random(in: 0..<1)
      )
      guard let wait, !Task.isCancelled else { return .failure(cause) }
      earlier = cause
      try? await Task.sleep(for: .seconds(wait))
      attempt += 1
    }
  }

  /// One attempt: follows redirects, each to a host that is resolved, checked and pinned anew.
  private func follow<Value: Sendable>(
    _ url: WebURL,
    _ subject: Exchange.Subject,
    order: Int,
    isAgain: Bool,
    _ process: @Sendable (ByteBuffer) async -> Value
  ) async -> Exchange.Step<Value> {
    var url = url
    var budget = Duration.seconds(settings.totalTimeout)
    for redirects in 0...settings.maximumRedirects {
      if denied.contains(url) { return .failure(.denied) }
      if subject == .image, let cause = await refusal(of: url, isAgain: isAgain) {
        return .failure(cause)
      }
      let hop = Hop(
        url: url,
        subject: subject,
        order: order,
        redirects: redirects,
        isAgain: isAgain
      )
      let step = await request(hop, within: &budget, process)
      guard case .redirect(let next) = step else { return step }
      url = next
    }
    return .failure(.tooManyRedirects)
  }

  /// One request of an attempt.
  private struct Hop {
    let url: WebURL
    let subject: Exchange.Subject
    let order: Int
    let redirects: Int
    let isAgain: Bool
  }

  /// Requests one address, at the host's next address when there is no connection to the first.
  private func request<Value: Sendable>(
    _ hop: Hop,
    within budget: inout Duration,
    _ process: @Sendable (ByteBuffer) async -> Value
  ) async -> Exchange.Step<Value> {
    let host = hop.url.host
    var tries = 1
    while true {
      let lease: PinnedClients.Lease
      switch await clients.lease(host, insists: hop.isAgain) {
      case .success(let leased): lease = leased
      case .failure(let cause): return .failure(cause)
      }
      let left = budget
      let (step, elapsed) = await gate.withPlace(at: host, order: hop.order) { isShared in
        await exchange(hop, lease, isShared: isShared, within: left, process)
      }
      await clients.release(lease)
      budget -= elapsed
      guard case .unreached(let cause) = step else { return step }
      let hasOther = await clients.noteUnreached(host, lease)
      guard hasOther, !Task.isCancelled, budget > .zero, tries < AddressPolicy.maximumAddresses
      else { return .failure(cause) }
      tries += 1
    }
  }

  /// Sends a request in its place, and hands on the body; also how long the network took.
  private func exchange<Value: Sendable>(
    _ hop: Hop,
    _ lease: PinnedClients.Lease,
    isShared: Bool,
    within left: Duration,
    _ process: @Sendable (ByteBuffer) async -> Value
  ) async -> (Exchange.Step<Value>, Duration) {
    let host = hop.url.host
    if silent.leavesAlone(host) { return (.failure(.silentHost), .zero) }
    let room = bodies.share()
    defer { room.giveBack() }
    do throws(CancellationError) { try await room.grow(to: Exchange.firstRoom) } catch {
      return (.failure(.timedOut), .zero)
    }
    let exchange = Exchange(
      url: hop.url,
      subject: hop.subject,
      redirects: hop.redirects,
      settings: settings,
      room: room
    )
    // After the rules comes the image. After the image, a connection to a host that nobody else wants
    // would only wait to be closed, in thousands.
    let keeps = hop.subject == .robots || isShared
    if keeps { await clients.noteKeeping(host, lease) }
    let start = ContinuousClock.now
    let step = await exchange.run(
      lease.client,
      or: { [clients] in await clients.fresh(host, lease, isNoted: keeps) },
      keepsConnection: keeps,
      within: left
    )
    let elapsed = start.duration(to: .now)
    if !Task.isCancelled { silent.note(host, timedOut: step.isTimeout, began: start) }
    switch step {
    case .value(let body): return (.value(await process(body)), elapsed)
    case .redirect(let next): return (.redirect(next), elapsed)
    case .failure(let cause, let after): return (.failure(cause, retryAfter: after), elapsed)
    case .unreached(let cause): return (.unreached(cause), elapsed)
    }
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
    // All rows of the site wait for it.
    let step = await follow(address, .robots, order: -1, isAgain: isAgain) { body in
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
    case .failure(let cause, _), .unreached(let cause): return .failure(cause)
    }
  }
}
