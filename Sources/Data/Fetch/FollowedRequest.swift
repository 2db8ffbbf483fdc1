package import AsyncHTTPClient
import NIOCore
package import NIOHTTP1
import Web

/// A request for one page or file that follows redirects.
///
/// The HTTP client's own redirects end the process at an invalid port.
package struct FollowedRequest {
  /// The first URL.
  package let url: String
  /// The headers; cookies go to the first site only.
  package var headers: HTTPHeaders

  private static let maximumRedirects = 10

  /// Sends the request and follows redirects.
  ///
  /// - Returns: The first response that is no redirect.
  /// - Throws: `DownloadError` for an invalid address; the client's error if no server answers.
  package func execute(_ client: HTTPClient) async throws -> HTTPClientResponse {
    guard var current = WebURL(url, ports: .all) else {
      throw DownloadError(cause: .invalidAddress, description: WebURL.fault(url))
    }
    var headers = headers
    for _ in 0...Self.maximumRedirects {
      var request = HTTPClientRequest(url: current.description)
      request.headers = headers
      request.headers.replaceOrAdd(name: "Host", value: current.hostHeader)
      // A kept-alive connection may be closed by the server just when it is reused.
      request.headers.replaceOrAdd(name: "Connection", value: "close")
      let response = try await client.execute(request, timeout: .seconds(60))
      guard WebURL.redirectStatuses.contains(Int(response.status.code)),
        let location = response.headers.first(name: "Location")
      else { return response }
      guard let next = current.resolving(location, ports: .all) else {
        throw DownloadError(
          cause: .invalidAddress,
          description: "\(current) redirects to an invalid URL: \(WebURL.fault(location))"
        )
      }
      if next.site != current.site { headers.remove(name: "Cookie") }
      current = next
    }
    throw DownloadError(cause: .invalidAddress, description: "\(url) leads on and on")
  }
}

extension HTTPClient.Configuration {
  /// For one page or file: without retries, which are the caller's.
  package static var singleFile: Self {
    var configuration = Self()
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(20), read: .seconds(60))
    configuration.decompression = .disabled
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { ResponseGuard.install(on: $0) }
    return configuration
  }
}
