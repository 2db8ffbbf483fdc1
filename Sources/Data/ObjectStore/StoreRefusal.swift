import Foundation

/// What a store's answer with an error means, in one line with what to do.
struct StoreRefusal {
  /// The store's code, as `NoSuchKey`; the status where it gives none.
  let code: String
  private let status: Int
  private let message: String
  private let region: String?

  /// Reads the answer: an XML document, or nothing, as to `HEAD`.
  init(status: Int, body: [UInt8], region header: String?) {
    let error = XMLElement(parsing: body).flatMap { $0.name == "Error" ? $0 : nil }
    self.status = status
    let word = (error?["Code"] ?? "").filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(
      64
    )
    code = word.isEmpty ? "HTTP \(status)" : String(word)
    message = error?["Message"] ?? ""
    region = (error?["Region"] ?? header).map { $0.filter { $0.isASCII && !$0.isWhitespace } }
  }

  /// Whether the same request may succeed later.
  var isTransient: Bool {
    switch code {
    // What arrived is not what was sent.
    case "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "RequestTimeout", "SlowDown",
      "InternalError", "ServiceUnavailable", "OperationAborted", "TooManyRequests":
      true
    default: status == 429 || status == 408 || [500, 502, 503, 504].contains(status)
    }
  }

  /// The error of a request.
  ///
  /// - Parameters:
  ///   - action: What was asked for, as "upload s3://bucket/key".
  ///   - bucket: The bucket.
  ///   - store: The store, for people.
  ///   - credentials: Who asked.
  ///   - date: The store's time, as it sent it.
  /// - Returns: What went wrong, and what to do.
  func error(
    _ action: String,
    bucket: String,
    store: String,
    _ credentials: Credentials,
    date: String?
  ) -> StoreError {
    let begin = "cannot \(action): "
    let reason: String
    // Only what the server says: short credentials, as of a test, are parts of our own words.
    let code = credentials.redacting(code)
    let region = region.map(credentials.redacting)
    switch self.code {
    case "NoSuchBucket":
      reason = "\(store) has no bucket \(bucket); make it, or correct the address"
    case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken",
      "UnrecognizedClientException":
      reason =
        "\(store) does not take the \(credentials) (\(code)); check key, secret and session token, and that "
        + "the endpoint is theirs"
    case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
      reason =
        "the session token of the \(credentials) has expired; get a new one and run the same command again"
    case "AccessDenied", "AllAccessDisabled", "AccountProblem", "HTTP 403", "HTTP 401":
      reason =
        "\(store) denies it to the \(credentials) (\(code)); they need to read, list and write below "
        + "s3://\(bucket)"
    case "RequestTimeTooSkewed", "RequestExpired":
      let theirs = date.map { "; the store's says \(credentials.redacting($0).prefix(40))" } ?? ""
      reason =
        "this machine's clock is wrong, it says \(Signature.time(Int(Date().timeIntervalSince1970)))"
        + "\(theirs) (\(code)); set it and run the same command again"
    case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
      _ where (300..<400).contains(status):
      let place =
        region.map { "region \($0): set AWS_REGION=\($0)" } ?? "another region: set AWS_REGION"
      reason = "the bucket \(bucket) is in \(place) (\(code))"
    case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "HTTP 507":
      reason = "\(store) is full (\(code)); make room there and run the same command again"
    default:
      let words = Self.printable(credentials.redacting(message))
      reason =
        "\(store) answers HTTP \(status) \(code == "HTTP \(status)" ? "" : code)"
        .trimmingCharacters(in: .whitespaces) + (words.isEmpty ? "" : ", “\(words)”")
    }
    return StoreError(.refused(code: self.code), begin + reason)
  }

  /// The beginning of a server's text, on one line.
  private static func printable(_ text: String) -> String {
    let line = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
    return String(line.prefix(200)).trimmingCharacters(in: .whitespaces)
  }
}
