import Foundation
package import HTTPTypes
import Text

/// Access control: the accepted host names, the accepted origins of requests, and the token if other
/// machines can reach the server.
package struct Access: Sendable {
  /// The secret of every request; `nil` on loopback.
  package let token: String?
  private let hosts: Set<String>
  private let takesAddresses: Bool

  /// The name of the token's cookie.
  static let cookie = "nifty_studio"

  /// The access control of an address.
  ///
  /// - Parameter host: The address or name that the server listens on.
  package init(host: String) {
    let own = Self.unbracketed(host.lowercased())
    let loopback: Set = ["localhost", "127.0.0.1", "::1"]
    if Self.isLoopback(host) {
      token = nil
      hosts = loopback.union([own])
      takesAddresses = false
    } else {
      token = Self.newToken()
      let name = ProcessInfo.processInfo.hostName.lowercased()
      hosts = loopback.union([own, name])
      takesAddresses = true
    }
  }

  /// Whether an address is loopback.
  package static func isLoopback(_ host: String) -> Bool {
    let name = unbracketed(host.lowercased())
    return name == "localhost" || name == "::1" || (name.hasPrefix("127.") && isAddress(name))
  }

  /// The host for a URL that others can open: this machine's name for the wildcard address 0.0.0.0.
  package static func name(of host: String) -> String {
    let bare = unbracketed(host)
    if bare == "0.0.0.0" || bare == "::" { return ProcessInfo.processInfo.hostName }
    return bare.contains(":") ? "[\(bare)]" : bare
  }

  /// Checks a request other than the first page with the token in its URL.
  ///
  /// - Parameters:
  ///   - request: The head of the request.
  ///   - cookieToken: The value of the cookie.
  /// - Returns: The refusal; `nil` if the request is accepted.
  package func refusal(of request: HTTPRequest, cookieToken: String?) -> RequestError? {
    if let refusal = refusalOfOrigin(request) { return refusal }
    guard let token else { return nil }
    let bearer = request.headerFields[.authorization].flatMap { value in
      value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst(7)) : nil
    }
    let given = bearer ?? cookieToken ?? ""
    if Self.isEqual(given, token) { return nil }
    return RequestError(
      "a token is needed: open the address that nifty studio printed, or send it as a bearer token",
      status: .unauthorized,
      code: "invalid_api_key"
    )
  }

  /// Checks that a request names this server as its host and has the same origin, or none.
  func refusalOfOrigin(_ request: HTTPRequest) -> RequestError? {
    guard let authority = request.authority, isOwn(authority) else {
      // A foreign name that resolves to this server: DNS rebinding.
      return RequestError(
        "this server is not called \(request.authority?.prefix(80) ?? "nothing")",
        status: .misdirectedRequest
      )
    }
    let fields = request.headerFields
    if let origin = fields[.origin], origin != "http://" + authority {
      return RequestError("pages of other sites may not ask here", status: .forbidden)
    }
    let site = fields[.secFetchSite] ?? "none"
    let opensPage = fields[.secFetchMode] == "navigate" && request.method == .get
    if site != "same-origin", site != "none", !opensPage {
      return RequestError("pages of other sites may not ask here", status: .forbidden)
    }
    return nil
  }

  /// Whether a token is the server's, compared in constant time.
  func accepts(_ given: String) -> Bool { token.map { Self.isEqual(given, $0) } ?? false }

  /// Whether two texts are equal, compared in constant time if their lengths are equal.
  static func isEqual(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private func isOwn(_ authority: String) -> Bool {
    let name = Self.unbracketed(Self.withoutPort(authority.lowercased()))
    return hosts.contains(name) || (takesAddresses && Self.isAddress(name))
  }

  private static func withoutPort(_ authority: String) -> String {
    guard let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]"),
      authority[authority.index(after: colon)...].allSatisfy(\.isNumber)
    else { return authority }
    return String(authority[..<colon])
  }

  private static func unbracketed(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }

  private static func isAddress(_ name: String) -> Bool {
    var bytes = in6_addr()
    return inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1
  }

  /// A token of 192 random bits.
  private static func newToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<3).map { _ in
      zeroPadded(random.next() as UInt64, to: 16, radix: 16)
    }.joined()
  }
}
