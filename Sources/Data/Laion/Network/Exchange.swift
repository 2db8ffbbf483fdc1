import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One request and its answer, within limits of size and time.
struct Exchange: Sendable {
  /// What the answer comes to.
  enum Step<Value: Sendable>: Sendable {
    case value(Value)
    case redirect(WebURL)
    case failure(FetchCause, retryAfter: Double? = nil)
    /// There was no connection.
    case unreached(FetchCause)

    /// Why there is no answer to go on with, and how many seconds the server wants to be left alone.
    var failure: (cause: FetchCause, retryAfter: Double?)? {
      switch self {
      case .failure(let cause, let retryAfter): (cause, retryAfter)
      case .unreached(let cause): (cause, nil)
      case .value, .redirect: nil
      }
    }

    /// Whether the host let the time run out.
    var isTimeout: Bool { failure?.cause == .timedOut }
  }

  /// What is asked for.
  enum Subject: Sendable {
    /// An image: opt-outs are respected, a body beyond the limit is a failure.
    case image
    /// A `robots.txt`: a body beyond the limit is cut off there.
    case robots
  }

  let url: WebURL
  let subject: Subject
  /// Redirects followed so far.
  let redirects: Int
  let settings: FetchSettings
  /// What the body may take of the memory for all of them.
  let room: MemoryBudget.Share

  /// What is taken before a request is sent, and enough for most images.
  static let firstRoom = 64 << 10

  /// Races the request, body included, against the time left.
  ///
  /// A server closes idle connections when it likes, also in the moment in which we send over one.
  /// That says nothing about the request: like browsers we send it once more over a new connection.
  ///
  /// - Parameters:
  ///   - client: Sends the request.
  ///   - fresh: A client that keeps no connections, asked for when the connection ended before the
  ///     first byte of an answer; `nil` when it was a new one.
  ///   - keepsConnection: Whether the connection is of use afterwards.
  ///   - budget: The time left.
  /// - Returns: What the answer comes to.
  func run(
    _ client: HTTPClient,
    or fresh: @escaping @Sendable () async -> HTTPClient?,
    keepsConnection: Bool = true,
    within budget: Duration
  ) async -> Step<ByteBuffer> {
    let work = Task {
      do {
        return try await request(client, within: budget, isLast: !keepsConnection)
      } catch {
        guard let client = await fresh() else { return .failure(.connectionLost) }
        let step = try? await request(client, within: budget, isLast: true)
        return step ?? .failure(.connectionLost)
      }
    }
    // Not a sleeping task: one that is cancelled stays in memory until it would have woken up, and at
    // a thousand requests a second that is tens of thousands.
    let deadline = client.eventLoopGroup.any().scheduleTask(in: TimeAmount(budget)) {
      work.cancel()
    }
    defer { deadline.cancel() }
    return await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      work.cancel()
    }
  }

  /// Throws when the connection ended before the first byte of an answer.
  private func request(
    _ client: HTTPClient,
    within budget: Duration,
    isLast: Bool
  ) async throws(Dropped) -> Step<ByteBuffer> {
    var request = HTTPClientRequest(url: url.description)
    request.headers = [
      "Host": url.hostHeader,
      "User-Agent": settings.userAgent,
      "Accept": accepted,
      "Accept-Encoding": "identity",
    ]
    if isLast { request.headers.add(name: "Connection", value: "close") }
    var isAnswered = false
    do {
      let response = try await client.execute(request, timeout: TimeAmount(budget))
      isAnswered = true
      let head = ResponseDecision.Head(
        status: Int(response.status.code),
        headers: response.headers.map { ($0.name, $0.value) }
      )
      switch ResponseDecision(head, from: url, redirects: redirects, settings: limits) {
      case .redirect(let next): return .redirect(next)
      case .fail(let cause, let retryAfter): return .failure(cause, retryAfter: retryAfter)
      case .accept: return try await body(of: response)
      }
    } catch {
      if !isAnswered, TransportFailure.isDrop(error) { throw Dropped() }
      if !isAnswered, TransportFailure.isUnconnected(error) {
        return .unreached(TransportFailure.cause(of: error))
      }
      return .failure(TransportFailure.cause(of: error))
    }
  }

  private struct Dropped: Error {}

  /// Reads the body up to the limit; to leave it unread closes the connection.
  private func body(of response: HTTPClientResponse) async throws -> Step<ByteBuffer> {
    var body = ByteBuffer()
    var held = Self.firstRoom
    for try await var part in response.body {
      if body.readableBytes + part.readableBytes > maximumBytes {
        if subject == .image { return .failure(.tooManyBytes) }
        body.writeImmutableBuffer(
          part.getSlice(at: part.readerIndex, length: room(in: body)) ?? part
        )
        return .value(body)
      }
      let size = body.readableBytes + part.readableBytes
      if size > held {
        // As the buffer grows, by powers of two. While this waits nothing more is read.
        while held < size { held *= 2 }
        try await room.grow(to: held)
      }
      body.writeBuffer(&part)
    }
    return body.readableBytes == 0 ? .failure(.empty) : .value(body)
  }

  private func room(in body: ByteBuffer) -> Int { maximumBytes - body.readableBytes }

  private var accepted: String {
    switch subject {
    case .image:
      "image/jpeg, image/png, image/webp, image/avif;q=0.8, image/gif;q=0.8, image/*;q=0.5, */*;q=0.1"
    case .robots: "text/plain, */*;q=0.1"
    }
  }

  private var maximumBytes: Int {
    switch subject {
    case .image: settings.maximumBytes
    case .robots: RobotsRules.maximumBytes
    }
  }

  /// The settings by which the head of the answer is judged.
  private var limits: FetchSettings {
    if subject == .image { return settings }
    var limits = settings
    limits.optOutDirectives = []
    limits.maximumBytes = .max
    return limits
  }
}
