import Glibc

extension IPAddress {
  /// Whether it is an IPv4 address.
  package var isV4: Bool { if case .v4 = self { true } else { false } }

  /// Whether this machine has a route to it: a machine without IPv6 has none to IPv6 addresses.
  ///
  /// Asks the system by connecting a datagram socket, which sends nothing.
  package var hasRoute: Bool {
    let descriptor = socket(isV4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    if descriptor < 0 { return false }
    defer { close(descriptor) }
    switch self {
    case .v4(let value):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(80).bigEndian
      address.sin_addr.s_addr = value.bigEndian
      return Self.connects(descriptor, &address)
    case .v6(let groups):
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = in_port_t(80).bigEndian
      withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
        for (index, group) in groups.enumerated() {
          bytes[2 * index] = UInt8(group >> 8)
          bytes[2 * index + 1] = UInt8(group & 0xFF)
        }
      }
      return Self.connects(descriptor, &address)
    }
  }

  private static func connects<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        connect(descriptor, $0.baseAddress, socklen_t(MemoryLayout<Address>.size)) == 0
      }
    }
  }
}
