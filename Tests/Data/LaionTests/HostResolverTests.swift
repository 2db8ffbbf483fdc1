import Synchronization
import Testing
import Web

@testable import Laion

/// Name servers that say what a test wants, and count how often they were asked.
private final class NameServers: Sendable {
  private let answers = Mutex<[FetchCause?]>([])
  private let count = Mutex(0)
  private let gate: AsyncStream<Void>
  private let opener: AsyncStream<Void>.Continuation

  /// - Parameter answers: Of the lookups in turn: a failure, or `nil` for an address; the last stays.
  init(_ answers: [FetchCause?]) {
    (gate, opener) = AsyncStream.makeStream()
    self.answers.withLock { $0 = answers }
  }

  var asked: Int { count.withLock { $0 } }

  /// Lets one lookup answer.
  func answer() { opener.yield() }

  func lookUp(_ host: String) async -> Result<[IPAddress], FetchCause> {
    count.withLock { $0 += 1 }
    for await _ in gate { break }
    let failure = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? nil }
    return failure.map { .failure($0) } ?? .success([.v4(0x5db8_d822)])
  }

  func resolver() -> HostResolver {
    HostResolver(policy: AddressPolicy(FetchSettings()), lookUp: lookUp)
  }

  func waitUntilAsked(_ times: Int) async throws {
    while asked < times { try await Task.sleep(for: .milliseconds(1)) }
  }
}

@Suite("Host resolver", .timeLimit(.minutes(1)))
struct HostResolverTests {
  private let address = HostResolver.Answer.success([.v4(0x5db8_d822)])
  private let silent = HostResolver.Answer.failure(.resolverFailed)

  @Test func `all rows that wait for a name share one answer, and later ones remember it`()
    async throws
  {
    let servers = NameServers([nil])
    let resolver = servers.resolver()
    let rows = (0..<20).map { _ in Task { await resolver.resolve("a.example") } }
    try await servers.waitUntilAsked(1)
    servers.answer()
    for row in rows { #expect(await row.value == address) }
    #expect(await resolver.resolve("a.example") == address)
    #expect(servers.asked == 1)
  }

  @Test func `silent name servers do not delay later rows, and a retry queries them again`()
    async throws
  {
    let servers = NameServers([.resolverFailed, .resolverFailed, nil])
    let resolver = servers.resolver()
    servers.answer()
    #expect(await resolver.resolve("a.example") == silent)
    // Nothing answers now: a wait would never end.
    for _ in 0..<5 { #expect(await resolver.resolve("a.example") == silent) }
    #expect(servers.asked == 1)

    let second = Task { await resolver.resolve("a.example", insists: true) }
    try await servers.waitUntilAsked(2)
    #expect(await resolver.resolve("a.example") == silent)
    servers.answer()
    #expect(await second.value == silent)

    let third = Task { await resolver.resolve("a.example", insists: true) }
    try await servers.waitUntilAsked(3)
    servers.answer()
    #expect(await third.value == address)
    #expect(await resolver.resolve("a.example") == address)
    #expect(servers.asked == 3)
  }

  @Test func `a retry does not look up a name that does not exist`() async {
    let servers = NameServers([.unknownHost])
    let resolver = servers.resolver()
    servers.answer()
    for insists in [false, true] {
      #expect(await resolver.resolve("a.example", insists: insists) == .failure(.unknownHost))
    }
    #expect(servers.asked == 1)
  }

  @Test func `an address is checked before it is cached`() async {
    let resolver = HostResolver(policy: AddressPolicy(FetchSettings())) { _ in
      .success([.v4(0x7f00_0001)])
    }
    #expect(await resolver.resolve("a.example") == .failure(.blockedAddress))
  }
}
