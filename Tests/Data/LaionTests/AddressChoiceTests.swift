import Synchronization
import TestSupport
import Testing
import Web

@testable import Laion

/// Which of a host's addresses is connected to.
@Suite("Addresses of a host", .timeLimit(.minutes(1)))
struct AddressChoiceTests {
  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test func `what this machine can reach is tried first, and IPv4 before IPv6`() throws {
    let texts = ["2606:4700::1", "1.1.1.1", "10.0.0.1", "2606:4700::2", "8.8.8.8", "9.9.9.9"]
    let addresses = try texts.map(address)
    let policy = AddressPolicy(FetchSettings())
    func order(_ hasRoute: (IPAddress) -> Bool) throws -> [String] {
      try policy.permitted(addresses, hasRoute: hasRoute).get().map(\.description)
    }
    let (six1, six2) = (try address("2606:4700::1"), try address("2606:4700::2"))
    #expect(try order { _ in true } == ["1.1.1.1", "8.8.8.8", "9.9.9.9", six1.description])
    #expect(
      try order { !$0.isV4 } == [six1.description, six2.description, "1.1.1.1", "8.8.8.8"]
    )
    #expect(policy.permitted([]) == .failure(.unknownHost))
    #expect(policy.permitted([try address("10.0.0.1")]) == .failure(.blockedAddress))
  }

  @Test func `this machine has a route to itself`() throws {
    #expect(try address("127.0.0.1").hasRoute)
    #expect(try address("127.0.0.1").isV4)
    #expect(try !address("::1").isV4)
  }

  @Test func `when the first address is dead the next one is tried, and remembered`() async throws {
    let server = try RawServer(["/a": .ok([1, 2, 3])], address: [127, 0, 0, 1])
    defer { server.stop() }
    let fetcher = TestFetcher(TestFetcher.settings) { _ in
      .success([.v4(0x7F00_0007), .v4(0x7F00_0008), .v4(0x7F00_0001)])
    }
    for _ in 0..<2 {
      #expect(try await fetcher.body("http://two.example:\(server.port)/a") == .success([1, 2, 3]))
    }
    await fetcher.shutDown()
  }

  @Test func `when all addresses are dead the row fails, and the next one starts over`()
    async throws
  {
    let fetcher = TestFetcher(TestFetcher.settings) { _ in
      .success([.v4(0x7F00_0007), .v4(0x7F00_0008)])
    }
    // Nobody listens there.
    #expect(try await fetcher.body("http://none.example:1025/") == .failure(.connectionFailed))
    let server = try RawServer(["/a": .ok([1])], address: [127, 0, 0, 7])
    defer { server.stop() }
    #expect(try await fetcher.body("http://none.example:\(server.port)/a") == .success([1]))
    await fetcher.shutDown()
  }

  private static let loopback6: [UInt8] = Array(repeating: 0, count: 15) + [1]

  @Test(
    .enabled("this machine has no IPv6") {
      do { try RawServer([:], address: loopback6).stop() } catch { return false }
      return true
    }
  )
  func `IPv6 is fetched over, by address and by name`() async throws {
    let server = try RawServer(["/a": .ok([6])], address: Self.loopback6)
    defer { server.stop() }
    let fetcher = TestFetcher(TestFetcher.settings) { host in
      guard let six = IPAddress("::1") else { return .failure(.unknownHost) }
      return .success([six])
    }
    #expect(try await fetcher.body("http://[::1]:\(server.port)/a") == .success([6]))
    #expect(try await fetcher.body("http://six.example:\(server.port)/a") == .success([6]))
    await fetcher.shutDown()
  }

  // The system knows no such names: without pinning there would be no connection at all. The name
  // servers answer otherwise from the second time on, as those of an attacker do.
  @Test
  func `the connection goes to the checked address, even if the name resolves differently later`()
    async throws
  {
    let good = try RawServer(["/a": .ok([1])], address: [127, 0, 0, 2])
    defer { good.stop() }
    let evil = try RawServer(["/a": .ok([2])], port: good.port, address: [127, 0, 0, 1])
    defer { evil.stop() }
    var settings = TestFetcher.settings
    settings.allowPrivateAddresses = false
    settings.allowedAddresses = ["127.0.0.2"]
    let asked = Mutex(0)
    let fetcher = TestFetcher(settings) { _ in
      let isFirst = asked.withLock { count in
        count += 1
        return count == 1
      }
      return .success([.v4(isFirst ? 0x7F00_0002 : 0x7F00_0001)])
    }
    for _ in 0..<3 {
      #expect(try await fetcher.body("http://rebind.example:\(good.port)/a") == .success([1]))
    }
    // Another name, whose first answer is the forbidden address.
    #expect(
      try await fetcher.body("http://other.example:\(good.port)/a") == .failure(.blockedAddress)
    )
    #expect(evil.accepted == 0)
    await fetcher.shutDown()
  }
}
