/// Which addresses may be connected to.
package struct AddressPolicy: Equatable, Sendable {
  private let allowsPrivate: Bool
  private let allowed: Set<IPAddress>

  /// The policy of a download; what is no address among `allowedAddresses` allows nothing.
  package init(_ settings: FetchSettings) {
    allowsPrivate = settings.allowPrivateAddresses
    allowed = Set(settings.allowedAddresses.compactMap { IPAddress($0) })
  }

  /// Whether `address` may be connected to.
  package func allows(_ address: IPAddress) -> Bool {
    allowsPrivate || address.isPublic || allowed.contains(address)
  }

  /// The address to connect to out of all that a name has: the first allowed one, IPv4 before IPv6.
  package func choose(_ addresses: [IPAddress]) -> Result<IPAddress, FetchCause> {
    if addresses.isEmpty { return .failure(.unknownHost) }
    let allowed = addresses.filter(allows)
    let v4 = allowed.first { address in
      if case .v4 = address { true } else { false }
    }
    guard let chosen = v4 ?? allowed.first else { return .failure(.blockedAddress) }
    return .success(chosen)
  }
}
