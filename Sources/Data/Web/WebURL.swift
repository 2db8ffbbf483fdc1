import Foundation

/// The address of an image: http or https, a host, a port, a path with its query.
///
/// It is parsed strictly and normalised, so that the HTTP client connects to the host that was checked: two
/// parsers that disagree about one string are how such checks are bypassed.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
  /// The statuses of a response that leads to another URL.
  package static let redirectStatuses: Set<Int> = [301, 302, 303, 307, 308]

  /// Whether the connection is encrypted.
  package let isSecure: Bool
  /// Lowercase name, IPv4 address, or IPv6 address without brackets.
  package let host: String
  /// The port, the scheme's own unless given.
  package let port: Int
  /// Path and query as they go into the request line, percent-encoded, beginning with "/".
  package let target: String

  /// Parses an absolute address; a fragment is dropped, a user name is refused.
  ///
  /// - Parameters:
  ///   - text: The address.
  ///   - ports: The allowed ports: those of the web, unless the user named the address.
  package init?(_ text: String, ports: Ports = .web) {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.utf8.count <= Self.maximumLength, let colon = text.firstIndex(of: ":") else {
      return nil
    }
    switch text[..<colon].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    var rest = text[text.index(after: colon)...]
    guard rest.hasPrefix("//") else { return nil }
    rest = rest.dropFirst(2)
    let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
    guard let (host, port) = Self.authority(rest[..<end]) else { return nil }
    self.host = host
    self.port = port ?? (isSecure ? 443 : 80)
    guard ports.allow(self.port) else { return nil }
    target = Self.target(rest[end...])
  }

  private init(copying other: WebURL, target: String) {
    isSecure = other.isSecure
    host = other.host
    port = other.port
    self.target = target
  }

  /// A set of allowed ports.
  package enum Ports: Sendable {
    /// 80, 443 and 1024 to 65535.
    ///
    /// Those below 1024 other than the web's belong to mail, remote shells and the like, which must not
    /// receive our requests; WHATWG's list of bad ports has the same purpose.
    case web
    /// 1 to 65535.
    case all

    fileprivate func allow(_ port: Int) -> Bool {
      switch self {
      case .web: port == 80 || port == 443 || (1024...65535).contains(port)
      case .all: (1...65535).contains(port)
      }
    }
  }

  /// The error message for an invalid address; redacts a password.
  package static func fault(_ text: String) -> String {
    let authority = text.range(of: "//").map {
      text[$0.upperBound...].prefix { !"/?#".contains($0) }
    }
    return authority?.contains("@") == true
      ? "the address has a user name or password, which is not sent; take it out, or fetch the file"
        + " another way and give its path"
      : "\(text.prefix(200)) is no http or https address with a host and a port of 1 to 65535"
  }

  /// Resolves a `Location` header relative to this address.
  package func resolving(_ location: String, ports: Ports = .web) -> WebURL? {
    let location = location.trimmingCharacters(in: .whitespacesAndNewlines)
    if location.isEmpty || location.utf8.count > Self.maximumLength { return nil }
    if location.hasPrefix("//") {
      return WebURL((isSecure ? "https:" : "http:") + location, ports: ports)
    }
    if location.range(of: "^[A-Za-z][A-Za-z0-9+.-]*:", options: .regularExpression) != nil {
      return WebURL(location, ports: ports)
    }
    let path = target.split(separator: "?", omittingEmptySubsequences: false).first ?? "/"
    if location.hasPrefix("/") {
      return WebURL(copying: self, target: Self.target(location[...]))
    }
    if location.hasPrefix("?") || location.hasPrefix("#") {
      return WebURL(copying: self, target: Self.target(path + location))
    }
    let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
    return WebURL(copying: self, target: Self.target(folder + location))
  }

  /// The normalised address, which any parser reads the same.
  package var description: String {
    site + target
  }

  /// The `Host` header.
  package var hostHeader: String {
    port == (isSecure ? 443 : 80) ? authority : "\(authority):\(port)"
  }

  /// The origin (scheme, host and port), which has one `robots.txt`.
  package var site: String { "\(isSecure ? "https" : "http")://\(authority):\(port)" }

  private var authority: String { host.contains(":") ? "[\(host)]" : host }

  private static let maximumLength = 4096

  private static func authority(_ text: Substring) -> (host: String, port: Int?)? {
    if text.contains("@") { return nil }
    var host = text
    var port: Int?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let tail = text[text.index(after: close)...]
      guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      guard case .v6? = IPAddress(String(host)) else { return nil }
      if tail.count > 1 {
        guard let parsed = number(tail.dropFirst()) else { return nil }
        port = parsed
      }
      return (host.lowercased(), port)
    }
    if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      let digits = text[text.index(after: colon)...]
      if !digits.isEmpty {
        guard let parsed = number(digits) else { return nil }
        port = parsed
      }
    }
    return name(host).map { ($0, port) }
  }

  private static func number(_ digits: Substring) -> Int? {
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 5 else {
      return nil
    }
    return Int(digits)
  }

  private static func name(_ host: Substring) -> String? {
    var host = host.lowercased()
    if !host.utf8.allSatisfy({ $0 < 0x80 }) {
      guard let ascii = Punycode.host(host) else { return nil }
      host = ascii
    }
    // A name may end in a dot, which says that it is complete.
    if host.hasSuffix(".") { host.removeLast() }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    let fits = host.utf8.count <= 253 && labels.allSatisfy { (1...63).contains($0.utf8.count) }
    let legal = host.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
        || byte == 0x5F
    }
    return fits && legal ? host : nil
  }

  private static func target(_ text: Substring) -> String {
    let text = Array(text.prefix { $0 != "#" }.utf8)
    var bytes: [UInt8] = text.first == 0x2F || text.first == 0x5C ? [] : [0x2F]
    for (index, byte) in text.enumerated() {
      switch byte {
      case 0x5C: bytes.append(0x2F)
      // A percent sign that begins no escape would be read differently by different parsers.
      case 0x25 where isEscape(text[index...]): bytes.append(byte)
      case 0x21, 0x24, 0x26...0x3B, 0x3D, 0x3F...0x5A, 0x5F, 0x61...0x7A, 0x7E: bytes.append(byte)
      default:
        let digits = Array("0123456789ABCDEF".utf8)
        bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isEscape(_ bytes: ArraySlice<UInt8>) -> Bool {
    let digits = bytes.dropFirst().prefix(2)
    return digits.count == 2 && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
  }
}
