import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// A real web server on 127.0.0.1 that answers as told: well, badly, slowly or without end.
package final class LoopbackServer: @unchecked Sendable {
  // Sendable: `requests`, `active` and `peak` are only touched under `lock`.

  /// How a path answers.
  package indirect enum Answer: Sendable {
    /// Status 200 with these bytes.
    case bytes([UInt8], headers: [String: String] = [:])
    /// These bytes, or the part that a `Range` asks for: of `cutAfter` bytes if that is given, then
    /// the connection closes. A range is refused if its `If-Range` names another tag.
    case ranged([UInt8], tag: String? = nil, cutAfter: Int? = nil)
    /// A status without a body.
    case status(Int, headers: [String: String] = [:])
    /// A redirect to an address or path.
    case redirect(String, status: Int = 302)
    /// The bytes, one at a time, with a pause before each.
    case drip([UInt8], every: Duration)
    /// Bytes without end.
    case endless
    /// The bytes under a `Content-Length` of `claimed`; then the connection closes.
    case cut([UInt8], claimed: Int)
    /// Another answer, after a while.
    case delayed(Duration, Answer)
    /// The first answer to the first request and so on; the last one to all further requests.
    case sequence([Answer])
  }

  /// The port that the system has chosen.
  package let port: Int

  private let lock = NSLock()
  private var requests: [String: [Request]] = [:]
  private var active = 0
  private var peak = 0

  private init(port: Int) {
    self.port = port
  }

  /// The address of a path.
  package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// How often a path was requested.
  package func count(_ path: String) -> Int { lock.withLock { requests[path]?.count ?? 0 } }

  /// How many requests there were in all.
  package var totalCount: Int { lock.withLock { requests.values.reduce(0) { $0 + $1.count } } }

  /// The most requests that were being answered at the same moment.
  package var peakConcurrency: Int { lock.withLock { peak } }

  /// A header of the last request for a path.
  package func lastHeader(_ name: String, of path: String) -> String? {
    let request = lock.withLock { requests[path]?.last }
    // Host travels apart from the other headers, as HTTP/2 has it.
    if name.lowercased() == "host" { return request?.head.authority }
    return HTTPField.Name(name).flatMap { request?.headers[$0] }
  }

  /// What follows the question mark in the last request for a path.
  package func lastQuery(of path: String) -> String? {
    lock.withLock { requests[path]?.last?.uri.query }
  }

  /// Runs `body` while the server answers.
  ///
  /// - Parameters:
  ///   - routes: What each path answers; other paths answer 404.
  ///   - body: Given the running server.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, and what keeps the server from starting.
  package static func run<Result: Sendable>(
    _ routes: [String: Answer],
    _ body: @escaping @Sendable (LoopbackServer) async throws -> Result
  ) async throws -> Result {
    let (started, continuation) = AsyncStream<LoopbackServer>.makeStream()
    let box = ServerBox()
    var logger = Logger(label: "loopback")
    logger.logLevel = .critical
    let application = Application(
      responder: CallbackResponder<BasicRequestContext> { request, _ in
        guard let server = box.server else { return Response(status: .serviceUnavailable) }
        return await server.answer(request, routes)
      },
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        let server = LoopbackServer(port: channel.localAddress?.port ?? 0)
        box.server = server
        continuation.yield(server)
        continuation.finish()
      },
      logger: logger
    )
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await application.run()
        return nil
      }
      group.addTask {
        for await server in started { return try await body(server) }
        return nil
      }
      while let result = try await group.next() {
        guard let result else { continue }
        group.cancelAll()
        return result
      }
      throw CancellationError()
    }
  }

  private func answer(_ request: Request, _ routes: [String: Answer]) async -> Response {
    let path = request.uri.path
    let number = lock.withLock {
      requests[path, default: []].append(request)
      active += 1
      peak = max(peak, active)
      return (requests[path]?.count ?? 1) - 1
    }
    defer { lock.withLock { active -= 1 } }
    return await response(routes[path] ?? .status(404), number: number, request)
  }

  private func response(_ answer: Answer, number: Int, _ request: Request) async -> Response {
    switch answer {
    case .ranged(let bytes, let tag, let cutAfter):
      return Self.part(of: bytes, tag: tag, cutAfter: cutAfter, request)
    case .bytes(let bytes, let headers):
      return Response(
        status: .ok,
        headers: Self.fields(headers),
        body: .init(byteBuffer: ByteBuffer(bytes: bytes))
      )
    case .status(let code, let headers):
      return Response(status: .init(code: code), headers: Self.fields(headers))
    case .redirect(let location, let status):
      return Response(status: .init(code: status), headers: [.location: location])
    case .drip(let bytes, let pause):
      return Self.streamed(length: bytes.count) { writer in
        for byte in bytes {
          try await Task.sleep(for: pause)
          try await writer.write(ByteBuffer(bytes: [byte]))
        }
      }
    case .endless:
      let block = ByteBuffer(repeating: 0xFF, count: 65536)
      return Self.streamed(length: nil) { writer in while true { try await writer.write(block) } }
    case .cut(let bytes, let claimed):
      return Self.streamed(length: claimed) { writer in
        try await writer.write(ByteBuffer(bytes: bytes))
        // The connection is closed when the writer fails.
        throw CancellationError()
      }
    case .delayed(let duration, let answer):
      try? await Task.sleep(for: duration)
      return await response(answer, number: number, request)
    case .sequence(let answers):
      precondition(!answers.isEmpty, "a sequence of no answers")
      return await response(answers[min(number, answers.count - 1)], number: number, request)
    }
  }

  private static func part(
    of bytes: [UInt8],
    tag: String?,
    cutAfter: Int?,
    _ request: Request
  ) -> Response {
    var headers = HTTPFields()
    if let tag { headers[.eTag] = tag }
    var start = 0
    let sameFile = request.headers[.ifRange].map { $0 == tag } ?? true
    if sameFile, let range = request.headers[.range], range.hasPrefix("bytes=") {
      start = Int(range.dropFirst("bytes=".count).prefix { $0 != "-" }) ?? 0
      if start >= bytes.count {
        headers[.contentRange] = "bytes */\(bytes.count)"
        return Response(status: .rangeNotSatisfiable, headers: headers)
      }
      headers[.contentRange] = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
    }
    let end = min(bytes.count, start + (cutAfter ?? .max - start))
    let sent = Array(bytes[start..<end])
    let isCut = end < bytes.count
    return Response(
      status: headers[.contentRange] == nil ? .ok : .partialContent,
      headers: headers,
      body: .init(contentLength: bytes.count - start) { writer in
        try await writer.write(ByteBuffer(bytes: sent))
        if isCut { throw CancellationError() }
        try await writer.finish(nil)
      }
    )
  }

  private static func streamed(
    length: Int?,
    _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
  ) -> Response {
    Response(
      status: .ok,
      body: .init(contentLength: length) { writer in
        try await write(&writer)
        try await writer.finish(nil)
      }
    )
  }

  private static func fields(_ headers: [String: String]) -> HTTPFields {
    var fields = HTTPFields()
    for (name, value) in headers {
      if let name = HTTPField.Name(name) { fields[name] = value }
    }
    return fields
  }
}

/// Hands the server, which is made when the port is known, to the responder, which is made before.
private final class ServerBox: @unchecked Sendable {
  // Sendable: `stored` is only touched under `lock`.
  private let lock = NSLock()
  private var stored: LoopbackServer?

  var server: LoopbackServer? {
    get { lock.withLock { stored } }
    set { lock.withLock { stored = newValue } }
  }
}
