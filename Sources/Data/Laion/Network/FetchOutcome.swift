import Files

/// The outcome of one row's request: the image that was stored, or the cause why there is none.
package typealias FetchOutcome = Result<StoredImage, FetchCause>

/// An image that was downloaded and stored.
package struct StoredImage: Equatable, Sendable {
  /// Pixels per row as stored.
  package var width: Int
  /// Rows as stored.
  package var height: Int
  /// Bytes that were downloaded.
  package var bytes: Int
  /// SHA-256 of the bytes that were downloaded, in hexadecimal.
  package var sha256: String
  /// The perceptual hash of the stored picture, where near duplicates are dropped; 32 hexadecimal
  /// digits.
  package var perceptualHash: String?
  /// The stored file; `nil` in ledgers of earlier versions.
  package var file: StoredFile?
}

/// The size and hash of an image's stored file.
package struct StoredFile: Equatable, Sendable {
  /// Bytes of the file.
  package var size: Int
  /// The first 64 bits of its SHA-256.
  package var hash: UInt64

  package init(size: Int, hash: UInt64) {
    self.size = size
    self.hash = hash
  }

  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(size: bytes.count, hash: SHA256.digest(of: bytes).first64Bits)
  }
}

/// The cause of a row's failure, by which failures are counted.
package enum FetchCause: Error, Hashable, CustomStringConvertible {
  /// No http or https address, or one with a user name or a port that is not the web's.
  case invalidURL
  /// The host name does not resolve.
  case unknownHost
  /// The name servers did not answer.
  case resolverFailed
  /// The host is skipped, because earlier requests to it timed out.
  case silentHost
  /// A redirect leads to a denied host or address.
  case denied
  /// The host is not on the public internet.
  case blockedAddress
  /// No connection: refused, unreachable.
  case connectionFailed
  /// The encrypted connection could not be set up: certificate, protocol.
  case encryptionFailed
  /// Connecting, waiting or reading took too long.
  case timedOut
  /// The connection ended before the body did.
  case connectionLost
  /// The server does not speak HTTP.
  case invalidResponse
  /// A status other than success.
  case status(Int)
  /// More redirects than allowed.
  case tooManyRedirects
  /// A redirect without a usable address.
  case invalidRedirect
  /// The server opts the image out of training.
  case optedOut
  /// The site's `robots.txt` disallows the URL.
  case robotsDisallowed
  /// The site's `robots.txt` is unavailable, which counts as disallowing all.
  case robotsUnavailable
  /// The body is larger than allowed.
  case tooManyBytes
  /// The body is empty.
  case empty
  /// The body is no JPEG, PNG, WebP, GIF or AVIF.
  case notAnImage
  /// An image of a kind that is not decoded.
  case unsupportedImage
  /// The image is damaged.
  case corruptImage
  /// The image ends too early.
  case truncatedImage
  /// The image has more pixels than allowed.
  case tooManyPixels
  /// There was no memory for the pixels.
  case noMemory
  /// The image is smaller than allowed.
  case tooSmall
  /// The same file was stored for an earlier row.
  case duplicateImage
  /// A picture that looks nearly the same was stored for an earlier row.
  case nearDuplicate
  /// Its image crashed the program in every attempt.
  case workerCrashed

  /// Every cause but the statuses, with its name.
  private static let names: [FetchCause: String] = [
    .invalidURL: "invalid URL",
    .unknownHost: "unknown host",
    .resolverFailed: "resolver failed",
    .silentHost: "host timed out before",
    .denied: "redirected to the deny list",
    .blockedAddress: "blocked address",
    .connectionFailed: "connection failed",
    .encryptionFailed: "encryption failed",
    .timedOut: "timed out",
    .connectionLost: "connection lost",
    .invalidResponse: "invalid response",
    .tooManyRedirects: "too many redirects",
    .invalidRedirect: "invalid redirect",
    .optedOut: "opted out",
    .robotsDisallowed: "disallowed by robots.txt",
    .robotsUnavailable: "robots.txt unavailable",
    .tooManyBytes: "too many bytes",
    .empty: "empty",
    .notAnImage: "not an image",
    .unsupportedImage: "unsupported image",
    .corruptImage: "corrupt image",
    .truncatedImage: "truncated image",
    .tooManyPixels: "too many pixels",
    .noMemory: "out of memory",
    .tooSmall: "too small",
    .duplicateImage: "duplicate image",
    .nearDuplicate: "near duplicate",
    .workerCrashed: "worker crashed",
  ]

  private static let causes = Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })

  /// The name under which the cause is counted, "HTTP 404" for a status.
  package var description: String {
    if case .status(let code) = self { return "HTTP \(code)" }
    return Self.names[self] ?? "unnamed"
  }

  /// The cause of this name.
  package init?(_ description: String) {
    if let cause = Self.causes[description] {
      self = cause
    } else if description.hasPrefix("HTTP "), let code = Int(description.dropFirst(5)) {
      self = .status(code)
    } else {
      return nil
    }
  }
}
