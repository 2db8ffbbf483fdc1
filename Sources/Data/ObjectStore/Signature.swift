import Files
import Foundation

/// Amazon's Signature Version 4, in the header of a request.
///
/// AWS, “Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)”.
struct Signature {
  let credentials: Credentials
  let region: String

  /// What a signature is made from.
  struct Request {
    var method: String
    /// Percent-encoded, beginning with a slash.
    var path: String
    /// Percent-encoded and sorted, as it is sent.
    var query: String
    /// All headers that are signed, `host` and `x-amz-date` among them; names in small letters.
    var headers: [(name: String, value: String)]
    /// The SHA-256 of the body.
    var bodyHash: String
  }

  /// The value of the `Authorization` header.
  ///
  /// - Parameters:
  ///   - request: The request.
  ///   - time: `20130524T000000Z`, as in `x-amz-date`.
  /// - Returns: Algorithm, scope, signed headers and signature.
  func authorization(of request: Request, time: String) -> String {
    let headers = request.headers.sorted { $0.name < $1.name }
    let names = headers.map(\.name).joined(separator: ";")
    let lines = headers.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined()
    let canonical = [request.method, request.path, request.query, lines, names, request.bodyHash]
      .joined(separator: "\n")
    let date = String(time.prefix(8))
    let scope = "\(date)/\(region)/s3/aws4_request"
    let hash = Array(canonical.utf8).withUnsafeBytes { SHA256.digest(of: $0) }
    let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(hash)"
    var key = Array("AWS4\(credentials.secret)".utf8)
    for word in [date, region, "s3", "aws4_request", text] {
      key = SHA256.authenticationCode(of: Array(word.utf8), key: key)
    }
    return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),"
      + "SignedHeaders=\(names),Signature=\(hexadecimal(key))"
  }

  /// A header's value without outer blanks, inner ones made single.
  private static func trimmed(_ value: String) -> String {
    value.split(separator: " ").joined(separator: " ")
  }

  /// A moment as `20130524T000000Z`.
  static func time(_ seconds: Int) -> String {
    var (moment, parts) = (time_t(seconds), tm())
    gmtime_r(&moment, &parts)
    let numbers = [
      parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
      parts.tm_sec,
    ]
    let digits = numbers.map { ($0 < 10 ? "0" : "") + String($0) }
    return digits[..<3].joined() + "T" + digits[3...].joined() + "Z"
  }

  /// Percent-encodes all but letters, digits and `-._~`; in a path the slashes stay, too.
  static func encoded(_ text: String, isPath: Bool = false) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
      case 0x2F where isPath: bytes.append(byte)
      default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A query as it is sent and signed: encoded, and sorted by name.
  static func query(_ items: [(name: String, value: String)]) -> String {
    items.map { (encoded($0.name), encoded($0.value)) }
      .sorted { $0 < $1 }
      .map { "\($0)=\($1)" }
      .joined(separator: "&")
  }
}
