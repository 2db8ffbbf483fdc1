import AsyncHTTPClient
import Foundation
import NIOSSL
import TestSupport
import Testing
import Web

@testable import Laion

/// Encrypted downloads: from a server with a good certificate, and from none other.
@Suite("Encrypted downloads", .timeLimit(.minutes(2)))
struct SecureFetchTests {
  /// What a row gets of a server, if an authority of our own is trusted.
  private func fetch(
    certificateFor host: String,
    days: Int,
    isTrusted: Bool = true
  ) async throws -> Result<[UInt8], FetchCause> {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let authority = try await LocalAuthority(in: folder.path)
    let roots = authority.certificate
    let fetcher = TestFetcher(
      TestFetcher.settings,
      configure: { configuration in
        if !isTrusted { return }
        var encryption = TLSConfiguration.makeClientConfiguration()
        encryption.trustRoots = .file(roots)
        configuration.tlsConfiguration = encryption
      },
      lookUp: { _ in .success([.v4(0x7F00_0001)]) }
    )
    let result = try await authority.serve([1, 2, 3], as: host, days: days) { port in
      try await fetcher.body("https://pictures.example:\(port)/image")
    }
    await fetcher.shutDown()
    return result
  }

  @Test func `an image is fetched from a server with a valid certificate`() async throws {
    #expect(try await fetch(certificateFor: "pictures.example", days: 1) == .success([1, 2, 3]))
  }

  @Test func `a certificate for another host is refused, although the address is right`()
    async throws
  {
    let result = try await fetch(certificateFor: "other.example", days: 1)
    #expect(result == .failure(.encryptionFailed))
  }

  @Test func `an expired certificate is refused`() async throws {
    let result = try await fetch(certificateFor: "pictures.example", days: -1)
    #expect(result == .failure(.encryptionFailed))
  }

  @Test func `a certificate of an untrusted authority is refused`() async throws {
    let result = try await fetch(certificateFor: "pictures.example", days: 1, isTrusted: false)
    #expect(result == .failure(.encryptionFailed))
  }
}
