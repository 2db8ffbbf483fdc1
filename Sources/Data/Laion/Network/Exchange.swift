import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Web

/// One request and its response, within limits of size and time.
struct Exchange: Sendable {
  let request: FetchRequest
  let settings: FetchSettings
  /// The body's reservation of the memory budget.
  let memory: MemoryBudget.Reservation

  /// The memory reserved before a request is sent, in bytes: enough for most images.
  static let firstReservation = 64 << 10

  /// Sends the request and receives the body before the deadline.
  ///
  /// A server may close a kept-alive connection just when we reuse it. Like browsers we then retry the
  /// request over a new connection.
  ///
  /// - Parameters:
  ///   - client: Sends the request.
  ///   - fresh: Gives a client without kept-alive connections, after a connection closed before the first
  ///     byte of a response; `nil` if the connection was a new one.
  ///   - keepsConnection: Whether to keep the connection alive.
  ///   - timeLeft: Until the deadline.
  /// - Returns: The body, or why there is none.
  func run(
    _ client: HTTPClient,
    orIfDropped fresh: @escaping @Sendable () async -> HTTPClient?,
    keepsConnection: Bool = true,
    within timeLeft: Duration
  ) async -> Fetched<ByteBuffer> {
    let work = Task {
      let first = await once(over: client, within: timeLeft, isLast: !keepsConnection)
      guard case .failure(.dropped) = first, let client = await fresh() else { return first }
      return await once(over: client, within: timeLeft, isLast: true)
    }
    // Not a sleeping task: one that is cancelled stays in memory until it would have woken up, and at
    // a thousand requests a second that is tens of thousands.
    let deadline = client.eventLoopGroup.any().scheduleTask(in: TimeAmount(timeLeft)) {
      work.cancel()
    }
    defer { deadline.cancel() }
    return await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      work.cancel()
    }
  }

  /// Sends the request over one connection and receives the body.
  private func once(
    over client: HTTPClient,
    within timeLeft: Duration,
    isLast: Bool
  ) async -> Fetched<ByteBuffer> {
    let url = request.url
    var message = HTTPClientRequest(url: url.description)
    message.headers = [
      "Host": url.hostHeader,
      "User-Agent": settings.userAgent,
      "Accept": accepted,
      "Accept-Encoding": "identity",
    ]
    if isLast { message.headers.add(name: "Connection", value: "close") }
    var isAnswered = false
    do {
      let response = try await client.execute(message, timeout: TimeAmount(timeLeft))
      isAnswered = true
      let head = ResponseDecision.Head(
        status: Int(response.status.code),
        headers: response.headers.map { ($0.name, $0.value) }
      )
      let redirects = request.redirects
      switch ResponseDecision(head, from: url, redirects: redirects, settings: limits) {
      case .redirect(let next): return .failure(.redirected(next))
      case .fail(let cause, let retryAfter): return .failure(.failed(cause, retryAfter: retryAfter))
      case .accept: return try await body(of: response)
      }
    } catch {
      if !isAnswered, TransportFailure.isDrop(error) { return .failure(.dropped) }
      let cause = TransportFailure.cause(of: error)
      let isUnreached = !isAnswered && TransportFailure.isUnconnected(error)
      return .failure(isUnreached ? .unreached(cause) : .failed(cause))
    }
  }

  /// Reads the body up to the limit; leaving it unread closes the connection.
  private func body(of response: HTTPClientResponse) async throws -> Fetched<ByteBuffer> {
    var body = ByteBuffer()
    var reserved = Self.firstReservation
    for try await var part in response.body {
      if body.readableBytes + part.readableBytes > maximumBytes {
        if request.subject == .image { return .failure(.failed(.tooManyBytes)) }
        let length = maximumBytes - body.readableBytes
        body.writeImmutableBuffer(part.getSlice(at: part.readerIndex, length: length) ?? part)
        return .success(body)
      }
      let size = body.readableBytes + part.readableBytes
      if size > reserved {
        // As the buffer grows, by powers of two. While this waits nothing more is read: backpressure.
        while reserved < size { reserved *= 2 }
        try await memory.grow(to: reserved)
      }
      body.writeBuffer(&part)
    }
    return body.readableBytes == 0 ? .failure(.failed(.empty)) : .success(body)
  }

  private var accepted: String {
    switch request.subject {
    case .image:
      "image/jpeg, image/png, image/webp, image/avif;q=0.8, image/gif;q=0.8, image/*;q=0.5, */*;q=0.1"
    case .robots: "text/plain, */*;q=0.1"
    }
  }

  private var maximumBytes: Int {
    switch request.subject {
    case .image: settings.maximumBytes
    case .robots: RobotsRules.maximumBytes
    }
  }

  /// The limits that apply to the head of the response.
  private var limits: FetchSettings {
    if request.subject == .image { return settings }
    var limits = settings
    limits.optOutDirectives = []
    limits.maximumBytes = .max
    return limits
  }
}
