import HTTPTypes
import Hummingbird
import JSON
import NIOCore

extension Request {
  /// The body as JSON, within a size limit and a deadline.
  ///
  /// - Parameters:
  ///   - limit: The most bytes.
  ///   - deadline: The time limit for receiving it.
  /// - Returns: The value.
  /// - Throws: `RequestError` with status 415, 413, 408 or 400.
  func json(
    upTo limit: Int = 64 << 10,
    within deadline: Duration = .seconds(15)
  ) async throws
    -> OptionValue
  {
    // Forms of other origins cannot send this type.
    let type = headers[.contentType]?.prefix { $0 != ";" }.lowercased()
    guard type == "application/json" else {
      throw RequestError(
        "send Content-Type: application/json",
        status: .unsupportedMediaType
      )
    }
    let bytes = try await bytes(upTo: limit, within: deadline, "the body")
    guard let text = String(validating: bytes, as: UTF8.self), let json = OptionValue(json: text)
    else { throw RequestError("the body is no JSON in UTF-8") }
    return json
  }

  /// The body as a picture's file; its content is not checked.
  ///
  /// - Parameters:
  ///   - limit: The most bytes.
  ///   - deadline: The time limit for receiving it.
  /// - Returns: Its bytes.
  /// - Throws: `RequestError` with status 415, 413, 408 or 400.
  func pictureFile(
    upTo limit: Int,
    within deadline: Duration = .seconds(30)
  ) async throws -> [UInt8] {
    // Forms of other origins cannot send this type, either.
    guard headers[.contentType]?.lowercased().hasPrefix("image/") == true else {
      throw RequestError(
        "send a picture with its Content-Type, as image/png",
        status: .unsupportedMediaType
      )
    }
    return try await bytes(upTo: limit, within: deadline, "the picture")
  }

  private func bytes(
    upTo limit: Int,
    within deadline: Duration,
    _ what: String
  ) async throws -> [UInt8] {
    let tooLarge = RequestError(
      "\(what) has more than \(limit) bytes",
      status: .contentTooLarge
    )
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
    let body = self.body
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      defer { group.cancelAll() }
      group.addTask {
        do {
          return Array(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
          throw tooLarge
        } catch let error where !(error is CancellationError) {
          throw RequestError("the body does not come as the request's head says")
        }
      }
      group.addTask {
        try await Task.sleep(for: deadline)
        throw RequestError("the body did not come in time", status: .requestTimeout)
      }
      return try await group.next() ?? []
    }
  }
}
