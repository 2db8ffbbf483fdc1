import Files
import Foundation
import NIOCore
import Web

/// Requests images: politely, within limits, with retries where they may help.
///
/// One row goes down through the functions of this file in their order. `fetch` makes the attempts,
/// `attempt` follows redirects, `hop` tries the addresses of a host, and `send` waits for memory, runs one
/// `Exchange` in a slot of the host and hands on the body.
struct ImageFetcher: Sendable {
  /// Makes a value of a body.
  typealias Process<Value: Sendable> = @Sendable (ByteBuffer) async -> Fetched<Value>

  private let clients: PinnedClients
  private let gate: HostGate
  private let robots = RobotsCache()
  private let silent: SilentHosts
  /// Memory for the bodies of all requests.
  let bodies: MemoryBudget
  private let denied: DenyList
  private let settings: FetchSettings
  private let policy: RetryPolicy

  init(clients: PinnedClients, settings: FetchSettings, denied: DenyList = DenyList()) {
    self.clients = clients
    self.settings = settings
    self.denied = denied
    // A higher limit on connections is meant to be used.
    let least = 2 * Exchange.firstReservation * settings.concurrency
    bodies = MemoryBudget(limit: max(settings.maximumBytesInFlight, least))
    silent = SilentHosts(limit: settings.silentHostLimit, pause: .seconds(settings.silentHostPause))
    gate = HostGate(
      limit: settings.concurrency,
      limitPerHost: settings.concurrencyPerHost,
      ratePerHost: settings.requestsPerSecondPerHost
    )
    policy = RetryPolicy(attempts: settings.attempts, delay: settings.retryDelay)
  }

  /// Requests an image and passes the whole body to `process`.
  ///
  /// The slot is held while `process` runs: backpressure, so that bodies cannot pile up in memory when
  /// decoding is slower than the network.
  ///
  /// - Parameters:
  ///   - address: The image's URL.
  ///   - order: The priority among requests that wait for a slot; the lowest goes first.
  ///   - process: Makes a value of the body.
  /// - Returns: The value, or the cause why there is none.
  /// - Throws: The error of the disk that refused the image, which ends the run.
  func fetch<Value: Sendable>(
    _ address: String,
    order: Int = 0,
    process: Process<Value>
  ) async throws(FileError) -> Result<Value, FetchCause> {
    guard let url = WebURL(address) else { return .failure(.invalidURL) }
    var attempt = 1
    var earlier: FetchCause?
    while true {
      let request = FetchRequest(url: url, subject: .image, order: order, isRetry: attempt > 1)
      let failure: FetchFailure
      switch await self.attempt(request, process) {
      case .success(let value): return .success(value)
      case .failure(let last): failure = last
      }
      let cause = try failure.cause
      // The row itself may have found out that the host is silent.
      if cause == .silentHost { return .failure(earlier ?? cause) }
      let wait = policy.wait(
        after: cause,
        attempt: attempt,
        retryAfter: failure.retryAfter,
        jitter: .random(in: 0..<1)
      )
      guard let wait, !Task.isCancelled else { return .failure(cause) }
      earlier = cause
      try? await Task.sleep(for: .seconds(wait))
      attempt += 1
    }
  }

  /// One attempt: follows redirects, each to a host that is itself resolved, checked and pinned.
  private func attempt<Value: Sendable>(
    _ first: FetchRequest,
    _ process: Process<Value>
  ) async -> Fetched<Value> {
    var request = first
    var timeLeft = Duration.seconds(settings.totalTimeout)
    // The exchange refuses more redirects than are allowed.
    while true {
      if denied.contains(request.url) { return .failure(.failed(.denied)) }
      if let cause = await robotsRefusal(of: request) { return .failure(.failed(cause)) }
      let fetched = await hop(request, within: &timeLeft, process)
      guard case .failure(.redirected(let next)) = fetched else { return fetched }
      request.url = next
      request.redirects += 1
    }
  }

  /// One URL of an attempt: tries the host's addresses until there is a connection to one.
  ///
  /// - Parameters:
  ///   - request: What is requested.
  ///   - timeLeft: Of the attempt; what the network takes is subtracted.
  ///   - process: Makes a value of the body.
  /// - Returns: The value, or why there is none.
  private func hop<Value: Sendable>(
    _ request: FetchRequest,
    within timeLeft: inout Duration,
    _ process: Process<Value>
  ) async -> Fetched<Value> {
    let host = request.url.host
    var addresses = 1
    while true {
      let lease: PinnedClients.Lease
      switch await clients.lease(host, insists: request.isRetry) {
      case .success(let leased): lease = leased
      case .failure(let cause): return .failure(.failed(cause))
      }
      let limit = timeLeft
      let (fetched, elapsed) = await gate.withSlot(at: host, order: request.order) { isShared in
        await send(request, over: lease, isShared: isShared, within: limit, process)
      }
      await clients.release(lease)
      timeLeft -= elapsed
      guard case .failure(.unreached(let cause)) = fetched else { return fetched }
      let hasOther = await clients.noteUnreached(host, lease)
      guard hasOther, !Task.isCancelled, timeLeft > .zero,
        addresses < AddressPolicy.maximumAddresses
      else { return .failure(.failed(cause)) }
      addresses += 1
    }
  }

  /// Sends the request to one address and hands on the body.
  ///
  /// - Parameters:
  ///   - request: What is requested.
  ///   - lease: The client, pinned to the address.
  ///   - isShared: Whether other requests to the host are in flight.
  ///   - timeLeft: Until the deadline of the attempt.
  ///   - process: Makes a value of the body.
  /// - Returns: The value or why there is none, and how long the network took.
  private func send<Value: Sendable>(
    _ request: FetchRequest,
    over lease: PinnedClients.Lease,
    isShared: Bool,
    within timeLeft: Duration,
    _ process: Process<Value>
  ) async -> (Fetched<Value>, Duration) {
    let host = request.url.host
    if silent.skips(host) { return (.failure(.failed(.silentHost)), .zero) }
    let memory = bodies.reservation()
    defer { memory.release() }
    do throws(CancellationError) { try await memory.grow(to: Exchange.firstReservation) } catch {
      return (.failure(.failed(.timedOut)), .zero)
    }
    // After the rules comes the image. After the image, the connection would stay idle where no other
    // request to the host is in flight: thousands of idle connections.
    let keepsConnection = request.subject == .robots || isShared
    if keepsConnection { await clients.noteKeeping(host, lease) }
    let exchange = Exchange(request: request, settings: settings, memory: memory)
    let start = ContinuousClock.now
    let received = await exchange.run(
      lease.client,
      orIfDropped: { [clients] in await clients.fresh(host, lease, isNoted: keepsConnection) },
      keepsConnection: keepsConnection,
      within: timeLeft
    )
    let elapsed = start.duration(to: .now)
    if !Task.isCancelled { silent.note(host, timedOut: received.isTimeout, began: start) }
    switch received {
    case .success(let body): return (await process(body), elapsed)
    case .failure(let failure): return (.failure(failure), elapsed)
    }
  }
}

// MARK: robots.txt

extension ImageFetcher {
  /// The cause when the site's `robots.txt` disallows an image; `nil` when it allows it.
  private func robotsRefusal(of request: FetchRequest) async -> FetchCause? {
    guard settings.followsRobots, request.subject == .image else { return nil }
    let isRetry = request.isRetry
    let answer = await robots.rules(for: request.url) { url in
      guard let file = url.resolving("/robots.txt") else { return .success(.allowingAll) }
      return await rules(in: file, isRetry: isRetry)
    }
    switch answer {
    case .success(let rules): return rules.allow(request.url.target) ? nil : .robotsDisallowed
    case .failure(let cause): return cause
    }
  }

  /// The rules in a file, by RFC 9309, section 2.3.1: a site without the file allows all, one that
  /// cannot answer allows nothing.
  private func rules(in file: WebURL, isRetry: Bool) async -> RobotsCache.Answer {
    // All rows of the site wait for it.
    let request = FetchRequest(url: file, subject: .robots, order: -1, isRetry: isRetry)
    let fetched = await attempt(request) { body in
      .success(RobotsRules(body.readableBytesView, agent: settings.productToken))
    }
    return fetched.flatMapError { failure in
      switch try? failure.cause {
      case .status(let code) where code == 429 || code >= 500: .failure(.robotsUnavailable)
      case .status, .empty, .tooManyRedirects, .invalidRedirect: .success(.allowingAll)
      // A host that cannot be reached for this cannot be reached for the image either.
      case let cause: .failure(cause ?? .robotsUnavailable)
      }
    }
  }
}
