import Glibc
import NIOPosix

/// Resolves host names on threads of its own and remembers the answers.
///
/// The HTTP client's resolver asks for one name at a time per event loop; with many hosts that
/// takes longer than the requests. Here as many names are resolved at once as there are threads.
/// Every address is checked after resolution, because a public name may well point to a private
/// address.
actor HostResolver {
  private let pool: NIOThreadPool
  private let allowPrivateAddresses: Bool
  private var answers: [String: Answer] = [:]

  private struct Answer {
    let task: Task<Result<IPAddress, FetchCause>, Never>
    let until: ContinuousClock.Instant
  }

  // Seconds for which an answer holds; getaddrinfo does not tell the record's own.
  private static let lifetime = Duration.seconds(600)
  private static let maximumAnswers = 100_000

  init(threads: Int, allowPrivateAddresses: Bool) {
    pool = NIOThreadPool(numberOfThreads: threads)
    pool.start()
    self.allowPrivateAddresses = allowPrivateAddresses
  }

  /// The address to connect to: the first public one, IPv4 before IPv6.
  func resolve(_ host: String) async -> Result<IPAddress, FetchCause> {
    let now = ContinuousClock.now
    if let answer = answers[host], answer.until > now { return await answer.task.value }
    if answers.count >= Self.maximumAnswers { answers = answers.filter { $0.value.until > now } }
    if answers.count >= Self.maximumAnswers { answers = [:] }
    let (pool, allowPrivateAddresses) = (pool, allowPrivateAddresses)
    // A task of its own, so that all rows that wait for a name share one answer, also when the
    // first of them is cancelled.
    let task = Task {
      let addresses = try? await pool.runIfActive { Self.addresses(host) }
      return Self.choose(addresses ?? [], allowPrivateAddresses: allowPrivateAddresses)
    }
    answers[host] = Answer(task: task, until: now + Self.lifetime)
    return await task.value
  }

  func shutDown() async {
    try? await pool.shutdownGracefully()
  }

  /// The address to connect to out of all that a name has.
  static func choose(
    _ addresses: [IPAddress],
    allowPrivateAddresses: Bool
  ) -> Result<IPAddress, FetchCause> {
    if addresses.isEmpty { return .failure(.unknownHost) }
    let allowed = allowPrivateAddresses ? addresses : addresses.filter(\.isPublic)
    let v4 = allowed.first { address in
      if case .v4 = address { true } else { false }
    }
    guard let chosen = v4 ?? allowed.first else { return .failure(.blockedAddress) }
    return .success(chosen)
  }

  /// Asks the system; blocks for as long as the system's resolver is configured to try.
  private static func addresses(_ host: String) -> [IPAddress] {
    if let literal = IPAddress(host) { return [literal] }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = address(entry) { addresses.append(address) }
      next = entry.ai_next
    }
    return addresses
  }

  private static func address(_ entry: addrinfo) -> IPAddress? {
    guard let socket = entry.ai_addr else { return nil }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = getnameinfo(
      socket,
      entry.ai_addrlen,
      &text,
      socklen_t(text.count),
      nil,
      0,
      NI_NUMERICHOST
    )
    guard status == 0 else { return nil }
    // A link-local address carries its interface behind a percent sign.
    let numeric = text.prefix { $0 != 0 && $0 != 0x25 }.map { UInt8(bitPattern: $0) }
    return IPAddress(String(decoding: numeric, as: UTF8.self))
  }
}

extension FetchCause: Error {}
