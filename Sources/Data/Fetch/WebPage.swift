import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Text

/// A web page as text, of at most one megabyte.
package struct WebPage {
  private let address: String
  private static let maximumBytes = 1 << 20

  package init(_ address: String) { self.address = address }

  /// Fetches the page.
  ///
  /// - Returns: Its text; bytes that are not UTF-8 are replaced.
  /// - Throws: `DownloadError`.
  package func text() async throws -> String {
    try await HTTPClient.withHTTPClient(configuration: .singleFile) { client in
      try await text(client)
    }
  }

  private func text(_ client: HTTPClient) async throws -> String {
    let request = FollowedRequest(
      url: address,
      headers: ["User-Agent": Version.userAgent, "Accept-Encoding": "identity"]
    )
    let response: HTTPClientResponse
    do { response = try await request.execute(client) } catch let error as DownloadError {
      throw error
    } catch {
      throw DownloadError(cause: .unreachable, description: "cannot reach \(address)")
    }
    let status = Int(response.status.code)
    guard status == 200 else {
      throw DownloadError(
        cause: .status(status),
        description: "\(address) answers HTTP \(status)"
      )
    }
    do {
      return String(buffer: try await response.body.collect(upTo: Self.maximumBytes))
    } catch {
      throw DownloadError(
        cause: .interrupted,
        description: "\(address) broke off, or is longer than \(Self.maximumBytes) bytes"
      )
    }
  }
}
