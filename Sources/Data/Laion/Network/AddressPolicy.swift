package import Web

/// The rule of which addresses may be connected to.
package struct AddressPolicy: Equatable, Sendable {
  private let allowsPrivate: Bool
  private let allowed: Set<IPAddress>

  /// The policy of a download; an invalid entry of `allowedAddresses` allows nothing.
  package init(_ settings: FetchSettings) {
    allowsPrivate = settings.allowPrivateAddresses
    allowed = Set(settings.allowedAddresses.compactMap { IPAddress($0) })
  }

  /// Whether `address` may be connected to.
  package func allows(_ address: IPAddress) -> Bool {
    allowsPrivate || address.isPublic || allowed.contains(address)
  }

  /// The maximum number of addresses tried per host.
  package static let maximumAddresses = 4

  /// A name's allowed addresses, in the order in which they are tried.
  ///
  /// - Parameters:
  ///   - addresses: All of the name's, in the system's order.
  ///   - hasRoute: Whether this machine has a route to an address.
  /// - Returns: The allowed ones: those with a route first, and of these IPv4 before IPv6.
  package func permitted(
    _ addresses: [IPAddress],
    hasRoute: (IPAddress) -> Bool = { $0.hasRoute }
  ) -> Result<[IPAddress], FetchCause> {
    if addresses.isEmpty { return .failure(.unknownHost) }
    let allowed = addresses.filter(allows)
    if allowed.isEmpty { return .failure(.blockedAddress) }
    if allowed.count == 1 { return .success(allowed) }
    let ranked = allowed.map { (address: $0, rank: (hasRoute($0) ? 0 : 2) + ($0.isV4 ? 0 : 1)) }
    let ordered = (0..<4).flatMap { rank in ranked.filter { $0.rank == rank }.map(\.address) }
    return .success(Array(ordered.prefix(Self.maximumAddresses)))
  }
}
