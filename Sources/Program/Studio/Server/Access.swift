import Foundation
package import HTTPTypes

/// Who may ask: which names of the host are its own, which pages may send requests, and the token where
/// others can reach the server.
package struct Access: Sendable {
  /// The secret that every request must carry; `nil` on loopback.
  package let token: String?
  private let hosts: Set<String>
  private let takesAddresses: Bool

  /// The cookie that carries the token.
  static let cookie = "nifty_studio"

  /// Access on an address.
  ///
  /// - Parameter host: What the server listens on: an address or a name.
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

  /// Whether only this machine reaches an address.
  package static func isLoopback(_ host: String) -> Bool {
    let name = unbracketed(host.lowercased())
    return name == "localhost" || name == "::1" || (name.hasPrefix("127.") && isAddress(name))
  }

  /// A name for an address that others can open: of 0.0.0.0, which stands for all, this machine's.
  package static func name(of host: String) -> String {
    let bare = unbracketed(host)
    if bare == "0.0.0.0" || bare == "::" { return ProcessInfo.processInfo.hostName }
    return bare.contains(":") ? "[\(bare)]" : bare
  }

  /// Checks a request that is not the first page with the token in its address.
  ///
  /// - Parameters:
  ///   - request: Its head.
  ///   - cookieToken: The value of the cookie.
  /// - Returns: Why it is refused; `nil` if it is not.
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

  /// Checks that a request means this server and comes from its own page or from no page.
  func refusalOfOrigin(_ request: HTTPRequest) -> RequestError? {
    guard let authority = request.authority, isOwn(authority) else {
      // A name of somebody else's that leads here: DNS rebinding.
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

  /// Whether a token is the server's; takes as long for every token of its length.
  func accepts(_ given: String) -> Bool { token.map { Self.isEqual(given, $0) } ?? false }

  /// Whether two texts are equal, in a time that does not depend on where they differ.
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

  /// 192 random bits.
  private static func newToken() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<3).map { _ in
      let digits = String(random.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
