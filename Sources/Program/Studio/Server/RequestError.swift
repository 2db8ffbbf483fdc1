package import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// A failed request's error in one line, sent in the form of OpenAI's API.
package struct RequestError: Error, Equatable, CustomStringConvertible {
  /// The status of the answer.
  package let status: HTTPResponse.Status
  /// The problem and its remedy.
  package let description: String
  /// The invalid parameter.
  package let parameter: String?
  /// A machine-readable code.
  package let code: String?
  /// The seconds until a retry makes sense.
  package let retryAfter: Int?

  /// An error of the client, 400 unless another status is given.
  package init(
    _ description: String,
    status: HTTPResponse.Status = .badRequest,
    parameter: String? = nil,
    code: String? = nil,
    retryAfter: Int? = nil
  ) {
    self.description = description
    self.status = status
    self.parameter = parameter
    self.code = code
    self.retryAfter = retryAfter
  }

  /// `{"error": {"message": …, "type": …, "param": …, "code": …}}`.
  var response: Response {
    let type =
      switch status.code {
      case 401, 403: "permission_error"
      case 404: "not_found_error"
      case 429: "rate_limit_error"
      case 500...: "server_error"
      default: "invalid_request_error"
      }
    let body: OptionValue = [
      "error": [
        "message": .string(description), "type": .string(type),
        "param": parameter.map { .string($0) } ?? .null, "code": code.map { .string($0) } ?? .null,
      ]
    ]
    var response = Response(json: body, status: status)
    if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
    return response
  }
}

extension Response {
  /// An answer in JSON.
  init(json: OptionValue, status: HTTPResponse.Status = .ok) {
    self.init(bytes: Array(json.finite.json.utf8), type: "application/json; charset=utf-8", status)
  }

  /// An answer of some bytes.
  init(bytes: [UInt8], type: String, _ status: HTTPResponse.Status = .ok) {
    self.init(
      status: status,
      headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    )
  }
}

extension OptionValue {
  /// The same with null for NaN and infinities, which JSON lacks.
  var finite: OptionValue {
    switch self {
    case .double(let value): value.isFinite ? self : .null
    case .list(let items): .list(items.map(\.finite))
    case .dictionary(let entries): .dictionary(entries.map { Entry($0.key, $0.value.finite) })
    default: self
    }
  }
}
