import Glibc

/// An IPv4 or IPv6 address, and whether it may be requested.
package enum IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// Four bytes as one number, the first in the highest position.
  case v4(UInt32)
  /// Eight groups of 16 bits.
  case v6([UInt16])

  /// Reads an address in the usual notation; IPv6 without brackets.
  package init?(_ text: String) {
    var v4 = in_addr()
    var v6 = in6_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      self = .v4(UInt32(bigEndian: v4.s_addr))
    } else if inet_pton(AF_INET6, text, &v6) == 1 {
      self.init(v6)
    } else {
      return nil
    }
  }

  private init(_ address: in6_addr) {
    let bytes = withUnsafeBytes(of: address) { Array($0) }
    self = .v6((0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) })
  }

  /// The usual notation; IPv6 without brackets.
  package var description: String {
    switch self {
    case .v4(let value):
      return (0..<4).map { String(value >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".")
    case .v6(let groups):
      return groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
  }

  /// Whether the address belongs to a machine on the public internet.
  ///
  /// A row of metadata is written by strangers: without this check it could make us request the
  /// cloud's metadata service, a router, or a service that trusts its own machine. The ranges are
  /// those of the IANA special-purpose registries (RFC 6890 and its successors); for IPv6 only
  /// global unicast is accepted, and of that none of the forms that carry an IPv4 address inside.
  package var isPublic: Bool {
    switch self {
    case .v4(let value): !Self.reservedV4.contains { $0.contains(value) }
    case .v6(let groups): Self.isPublic(groups)
    }
  }

  private struct Block {
    let base: UInt32
    let bits: UInt32

    init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ bits: UInt32) {
      base = a << 24 | b << 16 | c << 8 | d
      self.bits = bits
    }

    func contains(_ address: UInt32) -> Bool { (address ^ base) >> (32 - bits) == 0 }
  }

  private static let reservedV4 = [
    Block(0, 0, 0, 0, 8),  // this network
    Block(10, 0, 0, 0, 8),  // private
    Block(100, 64, 0, 0, 10),  // carrier-grade NAT
    Block(127, 0, 0, 0, 8),  // loopback
    Block(169, 254, 0, 0, 16),  // link-local, cloud metadata
    Block(172, 16, 0, 0, 12),  // private
    Block(192, 0, 0, 0, 24),  // protocol assignments
    Block(192, 0, 2, 0, 24),  // documentation
    Block(192, 88, 99, 0, 24),  // 6to4 relays
    Block(192, 168, 0, 0, 16),  // private
    Block(198, 18, 0, 0, 15),  // benchmarks
    Block(198, 51, 100, 0, 24),  // documentation
    Block(203, 0, 113, 0, 24),  // documentation
    Block(224, 0, 0, 0, 4),  // multicast
    Block(240, 0, 0, 0, 4),  // reserved, broadcast
  ]

  private static func isPublic(_ groups: [UInt16]) -> Bool {
    // 2000::/3 is global unicast. Outside lie loopback, link-local, unique local, multicast,
    // IPv4-mapped and -compatible addresses and the NAT64 prefix 64:ff9b::/96.
    guard groups[0] & 0xE000 == 0x2000 else { return false }
    switch (groups[0], groups[1]) {
    case (0x2001, 0x0000...0x01FF): return false  // Teredo, benchmarks, ORCHID: 2001::/23
    case (0x2001, 0x0DB8): return false  // documentation
    case (0x2002, _): return false  // 6to4
    case (0x3FFF, 0x0000...0x0FFF): return false  // documentation
    default: break
    }
    // ISATAP: the last 64 bits are 0:5efe or 200:5efe and an IPv4 address.
    return !(groups[5] == 0x5EFE && (groups[4] == 0 || groups[4] == 0x0200))
  }
}
