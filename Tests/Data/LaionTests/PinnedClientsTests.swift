import AsyncHTTPClient
import NIOCore
import NIOPosix
import Testing
import Web

@testable import Laion

@Suite("Pinned clients", .timeLimit(.minutes(1)))
struct PinnedClientsTests {
  /// With more hosts than clients may be kept, clients are dropped all the time.
  @Test func `a client in use is never shut down`() async throws {
    var settings = FetchSettings()
    settings.allowPrivateAddresses = true
    settings.connectTimeout = 1
    let hosts = HostResolver(policy: AddressPolicy(settings)) { _ in .success([.v4(0x7f00_0001)]) }
    let clients = PinnedClients(
      resolver: hosts,
      group: .singleton,
      settings: settings,
      limits: .init(hosts: 2, generations: 2, gatheringTime: .milliseconds(1))
    )
    let isShutDown = await withTaskGroup(of: Bool.self) { workers in
      for worker in 0..<16 {
        workers.addTask {
          for turn in 0..<60 {
            let host = "h\((worker * 7 + turn * 5) % 24).example"
            guard case .success(let lease) = await clients.lease(host) else { continue }
            await Task.yield()
            // Nobody listens there.
            let request = HTTPClientRequest(url: "http://\(host):1/")
            do { _ = try await lease.client.execute(request, timeout: .seconds(5)) } catch {
              if error as? HTTPClientError == .alreadyShutdown { return true }
            }
            await clients.release(lease)
          }
          return false
        }
      }
      return await workers.contains(true)
    }
    await clients.shutDown()
    #expect(!isShutDown)
  }

  @Test func `a dropped request is retried when it may have had the connection of another`()
    async throws
  {
    var settings = FetchSettings()
    settings.allowPrivateAddresses = true
    let hosts = HostResolver(policy: AddressPolicy(settings)) { _ in .success([.v4(0x7f00_0001)]) }
    let clients = PinnedClients(resolver: hosts, group: .singleton, settings: settings)
    guard case .success(let lease) = await clients.lease("a.example") else {
      Issue.record("the host has no client")
      return
    }
    #expect(await clients.fresh("a.example", lease, isNoted: false) == nil)
    await clients.noteKeeping("a.example", lease)
    #expect(await clients.fresh("a.example", lease, isNoted: true) == nil)
    #expect(await clients.fresh("b.example", lease, isNoted: false) == nil)
    #expect(await clients.fresh("a.example", lease, isNoted: false) != nil)
    await clients.noteKeeping("a.example", lease)
    #expect(await clients.fresh("a.example", lease, isNoted: true) != nil)
    await clients.release(lease)
    await clients.shutDown()
  }

  /// The first host of a generation waits while others fill it up, use it, and fill up another one; with
  /// no slot for idle clients its own is gone when it looks.
  @Test func `a waiting host gets a client even if its generation was retired meanwhile`()
    async throws
  {
    var settings = FetchSettings()
    settings.allowPrivateAddresses = true
    let hosts = HostResolver(policy: AddressPolicy(settings)) { _ in .success([.v4(0x7f00_0001)]) }
    let clients = PinnedClients(
      resolver: hosts,
      group: .singleton,
      settings: settings,
      limits: .init(hosts: 2, generations: 0, gatheringTime: .milliseconds(300))
    )
    let first = Task { await clients.lease("first.example") }
    try await Task.sleep(for: .milliseconds(100))
    guard case .success(let second) = await clients.lease("second.example") else {
      Issue.record("the second host has no client")
      return
    }
    await clients.release(second)
    let third = Task { await clients.lease("third.example") }
    try await Task.sleep(for: .milliseconds(50))
    guard case .success(let fourth) = await clients.lease("fourth.example") else {
      Issue.record("the fourth host has no client")
      return
    }
    for lease in [await first.value, await third.value] {
      switch lease {
      case .success(let lease): await clients.release(lease)
      case .failure(let cause): Issue.record("\(cause)")
      }
    }
    await clients.release(fourth)
    await clients.shutDown()
  }
}
