import AsyncHTTPClient
import Files
import Foundation
package import NIOCore
import NIOHTTP1
import Text
import Web

/// A client of one bucket of an S3 store: signs, sends, repeats what may succeed later, and says in one line
/// why something did not.
///
/// The store is the user's own word, so any address may be asked, loopback included; redirects are not followed,
/// since a signature holds for one host. Bodies of answers are bounded.
package final class StoreClient: Sendable {
  /// The bucket.
  package let bucket: String
  /// The settings.
  package let settings: StoreSettings
  /// Attempts of a request, the first included.
  package let attempts: Int
  /// Seconds before the second attempt; doubled before each further one, up to `longestDelay`.
  package let retryDelay: Double

  private let client: HTTPClient
  private let origin: String
  private let host: String
  /// What precedes a key in a path.
  private let root: String

  private static let longestDelay = 20.0
  /// The limit on an answer that is read whole: a list of a thousand long keys has some 4 MB.
  static let maximumAnswer = 16 << 20
  /// The limit on an answer with an error, or at the end of an upload.
  private static let maximumError = 1 << 20
  /// Seconds for one attempt; a part of 16 MiB at 60 KB/s takes less.
  private static let attemptSeconds = 300

  /// A client of a bucket.
  ///
  /// - Parameters:
  ///   - bucket: The bucket.
  ///   - settings: Who signs, and where requests go.
  ///   - group: The threads of the connections; `nil` for those that all clients share.
  ///   - attempts: Attempts of a request, the first included.
  ///   - retryDelay: Seconds before the second attempt.
  package init(
    bucket: String,
    settings: StoreSettings,
    group: (any EventLoopGroup)? = nil,
    attempts: Int = 10,
    retryDelay: Double = 0.5
  ) {
    (self.bucket, self.settings) = (bucket, settings)
    (self.attempts, self.retryDelay) = (attempts, retryDelay)
    if let endpoint = settings.endpoint {
      // Paths name the bucket: a store at an address of one's own rarely has names for its buckets.
      (origin, host, root) = (endpoint.site, endpoint.hostHeader, "/\(bucket)/")
    } else {
      let suffix = settings.region.hasPrefix("cn-") ? ".cn" : ""
      let store = "s3.\(settings.region).amazonaws.com\(suffix)"
      // The certificate of AWS does not cover names with further dots.
      let isName = !bucket.contains(".")
      host = isName ? "\(bucket).\(store)" : store
      origin = "https://\(host)"
      root = isName ? "/" : "/\(bucket)/"
    }
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(60), write: .seconds(60))
    configuration.decompression = .disabled
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { ResponseGuard.install(on: $0) }
    client =
      group.map { HTTPClient(eventLoopGroup: $0, configuration: configuration) }
      ?? HTTPClient(configuration: configuration)
  }

  /// Closes all connections.
  package func shutDown() async {
    // It fails only for requests that still run, which nobody waits for.
    try? await client.shutdown()
  }

  /// Runs `body` with a client, and closes its connections afterwards.
  package static func with<Value: Sendable>(
    bucket: String,
    settings: StoreSettings,
    attempts: Int = 5,
    _ body: (StoreClient) async throws -> Value
  ) async throws -> Value {
    let client = StoreClient(bucket: bucket, settings: settings, attempts: attempts)
    let result: Result<Value, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await client.shutDown()
    return try result.get()
  }

  /// The store, for people.
  package var store: String { settings.endpoint.map(\.site) ?? host }

  /// The address of a key, for people.
  func address(_ key: String) -> String { "s3://\(bucket)/\(key)" }

  /// A request without its signature.
  struct Request {
    var method: HTTPMethod
    /// The key; empty for the bucket itself.
    var key = ""
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// What is asked for, for an error: "upload s3://bucket/key".
    var action: String
    /// Statuses and codes beside 2xx that the caller reads itself.
    var expected: Set<String> = []
    /// Whether an answer with a success may hold an error: long work is answered before it is done.
    var mayFailLate = false
  }

  /// An answer that was read whole.
  struct Answer {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8] = []
    /// The store's code of an expected error.
    var code: String?
  }

  /// Sends a request, again while it fails in passing.
  func send(_ request: Request) async throws(StoreError) -> Answer {
    try await attempting(request) { (response) throws(StoreError) in
      Answer(
        status: Int(response.status.code),
        headers: response.headers,
        body: try await Self.whole(response, limit: Self.maximumAnswer, of: store)
      )
    }
  }

  /// Makes attempts until one gives a value, or fails for good.
  ///
  /// - Parameters:
  ///   - request: The request.
  ///   - read: Reads an answer; what it throws as `.unreachable` may be repeated.
  /// - Returns: What `read` returns.
  /// - Throws: `StoreError`.
  func attempting<Value>(
    _ request: Request,
    read: (HTTPClientResponse) async throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    var attempt = 1
    while true {
      let failure: StoreError
      do throws(StoreError) {
        return try await once(request, read)
      } catch {
        guard error.cause == .unreachable, attempt < attempts else { throw error }
        failure = error
      }
      // Not all clients of a busy store shall come back at the same moment.
      let delay = min(Self.longestDelay, backOff(retryDelay, afterAttempt: attempt))
      attempt += 1
      do {
        try await Task.sleep(for: .seconds(delay * .random(in: 0.5...1)))
      } catch {
        throw StoreError(.cancelled, "stopped; \(failure)")
      }
    }
  }

  /// One attempt; errors that may pass have the cause `.unreachable`.
  private func once<Value>(
    _ request: Request,
    _ read: (HTTPClientResponse) async throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    let response: HTTPClientResponse
    do {
      response = try await client.execute(
        signed(request),
        timeout: .seconds(Int64(Self.attemptSeconds))
      )
    } catch {
      if Task.isCancelled { throw StoreError(.cancelled, "stopped") }
      throw StoreError(
        .unreachable,
        "cannot \(request.action): \(store) does not answer (\(Self.words(error))); check the endpoint and "
          + "run the same command again"
      )
    }
    let status = Int(response.status.code)
    let isGood = (200..<300).contains(status)
    if isGood, !request.mayFailLate { return try await read(response) }
    if request.expected.contains("\(status)"), request.method == .HEAD {
      return try await read(response)
    }
    let body = try await Self.whole(response, limit: Self.maximumError, of: store)
    if isGood, XMLElement(parsing: body)?.name != "Error" {
      return try await read(
        .init(status: response.status, headers: response.headers, body: .bytes(.init(bytes: body)))
      )
    }
    let refusal = StoreRefusal(
      status: isGood ? 500 : status,
      body: body,
      region: response.headers.first(name: "x-amz-bucket-region")
    )
    if request.expected.contains(refusal.code) {
      return try await read(
        .init(
          status: .init(statusCode: isGood ? 500 : status),
          headers: ["x-nifty-code": refusal.code]
        )
      )
    }
    let error = refusal.error(
      request.action,
      bucket: bucket,
      store: store,
      settings.credentials,
      date: response.headers.first(name: "Date")
    )
    throw refusal.isTransient ? StoreError(.unreachable, error.description) : error
  }

  /// A body that is read whole, within a limit of bytes and of time.
  private static func whole(
    _ response: HTTPClientResponse,
    limit: Int,
    of store: String
  ) async throws(StoreError) -> [UInt8] {
    let deadline = ContinuousClock.now + .seconds(attemptSeconds)
    var bytes: [UInt8] = []
    do {
      for try await part in response.body {
        bytes += Array(part.readableBytesView)
        if bytes.count > limit {
          throw StoreError(.damaged, "\(store) answers with more than \(limit >> 20) MiB")
        }
        if ContinuousClock.now > deadline {
          throw StoreError(.unreachable, "\(store) answers for more than \(attemptSeconds) seconds")
        }
      }
    } catch {
      throw interruption(error, "answer of \(store)")
    }
    return bytes
  }

  /// The request with its signature.
  private func signed(_ request: Request) -> HTTPClientRequest {
    let path = root + Signature.encoded(request.key, isPath: true)
    let query = Signature.query(request.query)
    let time = Signature.time(Int(Date().timeIntervalSince1970))
    let hash = request.body.withUnsafeBytes { SHA256.digest(of: $0) }
    var headers =
      request.headers + [
        ("host", host), ("x-amz-content-sha256", hash), ("x-amz-date", time),
      ]
    if let token = settings.credentials.token { headers.append(("x-amz-security-token", token)) }
    let authorization = Signature(credentials: settings.credentials, region: settings.region)
      .authorization(
        of: .init(
          method: request.method.rawValue,
          path: path,
          query: query,
          headers: headers,
          bodyHash: hash
        ),
        time: time
      )
    var signed = HTTPClientRequest(url: origin + path + (query.isEmpty ? "" : "?" + query))
    signed.method = request.method
    signed.headers = HTTPHeaders(headers)
    signed.headers.add(name: "authorization", value: authorization)
    signed.headers.add(name: "user-agent", value: Version.userAgent)
    if !request.body.isEmpty || [.PUT, .POST].contains(request.method) {
      signed.body = .bytes(ByteBuffer(bytes: request.body))
    }
    return signed
  }

  /// The error of a connection that was lost in a body.
  static func interruption(_ error: any Error, _ what: String) -> StoreError {
    if let error = error as? StoreError { return error }
    if Task.isCancelled { return StoreError(.cancelled, "stopped") }
    return StoreError(
      .unreachable,
      "the \(what) broke off (\(words(error))); run the same command again to go on"
    )
  }

  /// An error of the connection in some words: its description is a pair of nested ones.
  private static func words(_ error: any Error) -> String {
    if let error = error as? ResponseGuard.Violation { return error.description }
    if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
    let text = "\(error)".split(separator: "\n").first.map(String.init) ?? "unknown"
    return text.count > 160 ? text.prefix(160) + "…" : text
  }
}
