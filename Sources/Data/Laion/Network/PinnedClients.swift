import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import NIOPosix
import Web

/// HTTP clients that connect to the address that was checked, and to no other.
///
/// The HTTP client would resolve the name again, and a hostile name server would answer differently
/// (DNS rebinding). `dnsOverride` pins names to addresses but is fixed for the life of a client, so hosts are
/// gathered for a moment and each such generation gets its own client; a client per host would load the
/// certificate store per host. A generation is dropped when it is old and idle.
actor PinnedClients {
  /// A client in use, until it is released.
  struct Lease {
    let client: HTTPClient
    fileprivate let generation: Int
    fileprivate let address: IPAddress?
  }

  private struct Generation {
    let client: HTTPClient
    let addresses: [String: IPAddress]
    let until: ContinuousClock.Instant
    var leases: Int
    /// The number of requests to a host that were sent over connections that may be kept alive.
    var keeping: [String: Int] = [:]
    /// Made when a kept-alive connection turns out to be closed; keeps none itself.
    var fresh: HTTPClient?

    func shutDown() async {
      try? await client.shutdown()
      try? await fresh?.shutdown()
    }
  }

  private let resolver: HostResolver
  private let group: MultiThreadedEventLoopGroup
  private let settings: FetchSettings
  private var generations: [Int: Generation] = [:]
  private var pinned: [String: Int] = [:]
  private var gathering: [String: IPAddress] = [:]
  private var waiting: [(host: String, continuation: CheckedContinuation<Lease, Never>)] = []
  /// The addresses of a host to which connecting failed.
  private var unreached: [String: Set<IPAddress>] = [:]
  private var nextGeneration = 0

  private let limits: Limits
  /// Changes a client's configuration: tests trust authorities of their own.
  private let configure: @Sendable (inout HTTPClient.Configuration) -> Void

  /// The limits on clients.
  struct Limits {
    /// Hosts of a generation.
    var hosts = 64
    /// Generations that are kept although they are idle.
    var generations = 16
    /// The time for which hosts are gathered.
    var gatheringTime = Duration.milliseconds(50)
  }

  private static let lifetime = Duration.seconds(300)
  private static let maximumUnreached = 10_000

  init(
    resolver: HostResolver,
    group: MultiThreadedEventLoopGroup,
    settings: FetchSettings,
    limits: Limits = Limits(),
    configure: @escaping @Sendable (inout HTTPClient.Configuration) -> Void = { _ in }
  ) {
    self.resolver = resolver
    self.group = group
    self.settings = settings
    self.limits = limits
    self.configure = configure
  }

  /// A client that is pinned to the address of `host`.
  ///
  /// - Parameters:
  ///   - host: The host's name.
  ///   - insists: Whether to bypass a cached failure of the name servers, as a retry does.
  /// - Returns: The client, to be released, or why the host has no address.
  func lease(_ host: String, insists: Bool = false) async -> Result<Lease, FetchCause> {
    while true {
      if let lease = current(host) { return .success(lease) }
      let addresses: [IPAddress]
      switch await resolver.resolve(host, insists: insists) {
      case .success(let resolved): addresses = resolved
      case .failure(let cause): return .failure(cause)
      }
      // Another row may have pinned the host while this one waited.
      if let lease = current(host) { return .success(lease) }
      let isFirst = gathering.isEmpty
      gathering[host] = untried(addresses, of: host)
      if !isFirst, gathering.count < limits.hosts {
        return .success(await withCheckedContinuation { waiting.append((host, $0)) })
      }
      if isFirst {
        // The first of a generation waits for the others and then makes the client for all of them,
        // unless the generation has filled up by then. When it is cancelled the sleep ends early,
        // and the others get their client all the same.
        try? await Task.sleep(for: limits.gatheringTime)
      }
      if gathering[host] != nil { seal() }
      // A generation that another one has filled up may be gone by now, as nobody used it.
      guard let lease = current(host) else { continue }
      // The lease is taken before anything is awaited: a generation in use is not dropped.
      await dropIdle()
      return .success(lease)
    }
  }

  /// Records a failed connection, and unpins the host if it has other addresses.
  ///
  /// - Returns: Whether there is an untried address.
  func noteUnreached(_ host: String, _ lease: Lease) async -> Bool {
    guard let address = lease.address, case .success(let addresses) = await resolver.resolve(host),
      addresses.count > 1
    else { return false }
    if unreached.count >= Self.maximumUnreached { unreached = [:] }
    var tried = unreached[host, default: []]
    tried.insert(address)
    let isOneLeft = !tried.isSuperset(of: addresses)
    // After the last one the next row starts with the first.
    unreached[host] = isOneLeft ? tried : nil
    if pinned[host] == lease.generation { pinned[host] = nil }
    return isOneLeft
  }

  private func untried(_ addresses: [IPAddress], of host: String) -> IPAddress? {
    let tried = unreached[host, default: []]
    return addresses.first { !tried.contains($0) } ?? addresses.first
  }

  /// Notes a request that is about to be sent over a connection that may be kept alive.
  ///
  /// Before, not after: with its answer the connection goes to the next request at once, and that one
  /// may ask for a fresh client before this one has seen its answer.
  func noteKeeping(_ host: String, _ lease: Lease) {
    generations[lease.generation]?.keeping[host, default: 0] += 1
  }

  /// A client with the same pins that has no connection to `host` yet, for a request whose connection
  /// was dropped.
  ///
  /// The requests sent with it must ask for the connection to be closed.
  ///
  /// - Parameters:
  ///   - host: The host's name.
  ///   - lease: What the request was sent with.
  ///   - isNoted: Whether the request itself is one of those noted.
  /// - Returns: The client; `nil` when the connection cannot have been a kept one, because no other
  ///   request was sent over one.
  func fresh(_ host: String, _ lease: Lease, isNoted: Bool) -> HTTPClient? {
    guard let generation = generations[lease.generation],
      generation.keeping[host, default: 0] > (isNoted ? 1 : 0)
    else { return nil }
    if let client = generation.fresh { return client }
    let client = client(pinning: generation.addresses)
    generations[lease.generation]?.fresh = client
    return client
  }

  /// Releases a client.
  func release(_ lease: Lease) {
    generations[lease.generation]?.leases -= 1
  }

  /// Shuts all clients down; no lease may be out.
  func shutDown() async {
    for generation in generations.values { await generation.shutDown() }
    generations = [:]
    pinned = [:]
  }

  private func current(_ host: String) -> Lease? {
    guard let number = pinned[host], let generation = generations[number] else { return nil }
    guard generation.until > .now else { return nil }
    generations[number]?.leases += 1
    return Lease(
      client: generation.client,
      generation: number,
      address: generation.addresses[host]
    )
  }

  /// Makes a client for the hosts gathered and hands it to the requests that wait.
  private func seal() {
    let number = nextGeneration
    nextGeneration += 1
    let addresses = gathering
    let client = client(pinning: addresses)
    generations[number] = Generation(
      client: client,
      addresses: addresses,
      until: .now + Self.lifetime,
      leases: waiting.count
    )
    for host in gathering.keys { pinned[host] = number }
    gathering = [:]
    for (host, continuation) in waiting {
      let lease = Lease(client: client, generation: number, address: addresses[host])
      continuation.resume(returning: lease)
    }
    waiting = []
  }

  private func dropIdle() async {
    let surplus = generations.count - limits.generations
    if surplus <= 0 { return }
    let idle = generations.filter { $0.value.leases == 0 }.keys.sorted().prefix(surplus)
    let dropped = idle.compactMap { number in
      generations.removeValue(forKey: number).map { (number, $0) }
    }
    for (number, generation) in dropped {
      for host in generation.addresses.keys where pinned[host] == number { pinned[host] = nil }
    }
    // Only now, when none of them can be leased any more: other calls come in while this waits.
    for (_, generation) in dropped { await generation.shutDown() }
  }

  private func client(pinning hosts: [String: IPAddress]) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    // We accept only uncompressed bodies, but some servers compress all the same.
    configuration.decompression = .enabled(limit: .size(settings.maximumBytes))
    configuration.httpVersion = .http1Only
    configuration.timeout = .init(
      connect: .nanoseconds(Int64(settings.connectTimeout * 1e9)),
      read: .nanoseconds(Int64(settings.readTimeout * 1e9))
    )
    configuration.connectionPool = .init(
      idleTimeout: .seconds(2),
      concurrentHTTP1ConnectionsPerHostSoftLimit: settings.concurrencyPerHost
    )
    // `RetryPolicy` decides what is retried.
    configuration.connectionPool.retryConnectionEstablishment = false
    // A kept-alive connection keeps its buffers too: without this, 170 KB of them.
    configuration.http1_1ConnectionDebugInitializer = { channel in
      let sizes = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 32_768)
      return channel.setOption(.recvAllocator, value: sizes).flatMap {
        channel.setOption(.maxMessagesPerRead, value: 1)
      }.flatMap {
        ResponseGuard.install(on: channel)
      }
    }
    configuration.dnsOverride = hosts.mapValues(\.description)
    configure(&configuration)
    return HTTPClient(eventLoopGroup: group, configuration: configuration)
  }
}
