import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Requests images: politely, within limits, again when that may help.
struct ImageFetcher: Sendable {
  private let clients: PinnedClients
  private let gate: HostGate
  private let settings: FetchSettings
  private let policy: RetryPolicy

  init(clients: PinnedClients, settings: FetchSettings) {
    self.clients = clients
    self.settings = settings
    gate = HostGate(limit: settings.concurrency, limitPerHost: settings.concurrencyPerHost)
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
      switch await self.attempt(url, process) {
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

  private enum Step<Value: Sendable>: Sendable {
    case value(Value)
    case redirect(WebURL)
    case failure(FetchCause, retryAfter: Double? = nil)
  }

  /// One attempt: follows redirects, each to a host that is resolved, checked and pinned anew.
  private func attempt<Value: Sendable>(
    _ url: WebURL,
    _ process: @Sendable (ByteBuffer) async -> Value
  ) async -> Step<Value> {
    var url = url
    var budget = Duration.seconds(settings.totalTimeout)
    for redirects in 0...settings.maximumRedirects {
      let lease: PinnedClients.Lease
      switch await clients.lease(url.host) {
      case .success(let leased): lease = leased
      case .failure(let cause): return .failure(cause)
      }
      let (here, left) = (url, budget)
      let (step, elapsed) = await gate.withPlace(at: url.host) {
        let start = ContinuousClock.now
        let step = await exchange(here, lease.client, redirects: redirects, within: left)
        let elapsed = start.duration(to: .now)
        switch step {
        case .value(let body): return (Step.value(await process(body)), elapsed)
        case .redirect(let next): return (Step<Value>.redirect(next), elapsed)
        case .failure(let cause, let after):
          return (Step<Value>.failure(cause, retryAfter: after), elapsed)
        }
      }
      await clients.release(lease)
      guard case .redirect(let next) = step else { return step }
      url = next
      budget -= elapsed
    }
    return .failure(.tooManyRedirects)
  }

  /// Races one request, body included, against the time left.
  private func exchange(
    _ url: WebURL,
    _ client: HTTPClient,
    redirects: Int,
    within budget: Duration
  ) async -> Step<ByteBuffer> {
    await withTaskGroup(of: Step<ByteBuffer>?.self) { group in
      group.addTask { await request(url, client, redirects: redirects, within: budget) }
      group.addTask {
        do { try await Task.sleep(for: budget) } catch { return nil }
        return .failure(.timedOut)
      }
      for await step in group {
        guard let step else { continue }
        group.cancelAll()
        return step
      }
      return .failure(.timedOut)
    }
  }

  private func request(
    _ url: WebURL,
    _ client: HTTPClient,
    redirects: Int,
    within budget: Duration
  ) async -> Step<ByteBuffer> {
    var request = HTTPClientRequest(url: url.description)
    request.headers = [
      "Host": url.hostHeader,
      "User-Agent": settings.userAgent,
      "Accept": "image/jpeg, image/png, image/webp, image/*;q=0.5, */*;q=0.1",
      "Accept-Encoding": "identity",
    ]
    do {
      let response = try await client.execute(request, timeout: TimeAmount(budget))
      let head = ResponseDecision.Head(
        status: Int(response.status.code),
        headers: response.headers.map { ($0.name, $0.value) }
      )
      switch ResponseDecision(head, from: url, redirects: redirects, settings: settings) {
      case .redirect(let next): return .redirect(next)
      case .fail(let cause, let retryAfter): return .failure(cause, retryAfter: retryAfter)
      case .accept: return try await body(of: response)
      }
    } catch {
      return .failure(TransportFailure.cause(of: error))
    }
  }

  /// Reads the body up to the limit; to leave it unread closes the connection.
  private func body(of response: HTTPClientResponse) async throws -> Step<ByteBuffer> {
    var body = ByteBuffer()
    for try await var part in response.body {
      if body.readableBytes + part.readableBytes > settings.maximumBytes {
        return .failure(.tooManyBytes)
      }
      body.writeBuffer(&part)
    }
    return body.readableBytes == 0 ? .failure(.empty) : .value(body)
  }
}
