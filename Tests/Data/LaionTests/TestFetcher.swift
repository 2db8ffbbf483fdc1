import AsyncHTTPClient
import NIOCore
import NIOPosix

@testable import Laion

/// A fetcher of its own, with name servers that say what a test wants.
final class TestFetcher: Sendable {
  let fetcher: ImageFetcher
  let clients: PinnedClients

  /// - Parameters:
  ///   - settings: How to fetch.
  ///   - denied: What is never requested.
  ///   - configure: Changes the HTTP clients.
  ///   - lookUp: Answers for the name servers.
  init(
    _ settings: FetchSettings,
    denied: DenyList = DenyList(),
    configure: @escaping @Sendable (inout HTTPClient.Configuration) -> Void = { _ in },
    lookUp: @escaping HostResolver.LookUp
  ) {
    clients = PinnedClients(
      resolver: HostResolver(policy: AddressPolicy(settings), lookUp: lookUp),
      group: .singleton,
      settings: settings,
      configure: configure
    )
    fetcher = ImageFetcher(clients: clients, settings: settings, denied: denied)
  }

  /// A client that is not shut down ends the process, and a test that fails may not come to that.
  deinit {
    Task { [clients] in await clients.shutDown() }
  }

  /// Quick settings without `robots.txt` and second attempts.
  static var settings: FetchSettings {
    var settings = FetchSettings()
    settings.followsRobots = false
    settings.attempts = 1
    settings.connectTimeout = 2
    settings.readTimeout = 2
    settings.totalTimeout = 4
    settings.allowPrivateAddresses = true
    return settings
  }

  /// The body, or why there is none.
  func body(_ url: String) async throws -> Result<[UInt8], FetchCause> {
    try await fetcher.fetch(url) { .success(Array($0.readableBytesView)) }
  }

  func shutDown() async { await clients.shutDown() }
}
