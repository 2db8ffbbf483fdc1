import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOHTTP1
import Text
import Web

/// A file shared on Google Drive: resolves its id to an address.
///
/// Drive redirects, sets cookies, and answers large files with a page whose form carries a token; the form
/// leads to the file. A `ResumableDownload` then fetches the bytes.
package struct DriveDownload {
  /// The id of the file, as in `drive.google.com/file/d/ID/view`.
  package let id: String
  /// The address of the service.
  package var server = "https://drive.google.com"

  /// A file by its id.
  package init(id: String, server: String = "https://drive.google.com") {
    (self.id, self.server) = (id, server)
  }

  /// The current address of a file, and the cookies to send.
  package struct Location: Equatable {
    package var url: URL
    package var cookies: String?
  }

  private static let maximumPageBytes = 2 << 20
  private static let maximumSteps = 12

  /// The id in a link that was copied from Drive, or the id itself; `nil` for anything else.
  package static func id(in text: String) -> String? {
    var id = text
    if let url = URLComponents(string: text), url.host != nil {
      let parts = url.path.split(separator: "/").map(String.init)
      let named = url.queryItems?.first { $0.name == "id" }?.value
      guard
        let found = named ?? parts.firstIndex(of: "d").flatMap({ parts.dropFirst($0 + 1).first })
      else { return nil }
      id = found
    }
    let isWord = id.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "-_".unicodeScalars.contains(scalar))
    }
    return isWord && (10...128).contains(id.count) ? id : nil
  }

  /// Resolves the file's current address.
  ///
  /// - Throws: `DownloadError` if Drive cannot be reached, has no such file, does not share it, or its
  ///   quota is exceeded.
  package func location() async throws -> Location {
    try await HTTPClient.withHTTPClient(configuration: .singleFile) { client in
      try await walk(client)
    }
  }

  private func walk(_ client: HTTPClient) async throws -> Location {
    let start = "\(server)/uc?export=download&id=\(id)"
    guard var url = URL(string: start), WebURL(start, ports: .all) != nil else {
      throw failure(.unreachable, "\(server) is no address")
    }
    var cookies = CookieJar()
    for _ in 0..<Self.maximumSteps {
      var request = HTTPClientRequest(url: url.absoluteString)
      request.headers = ["User-Agent": Version.userAgent, "Accept-Encoding": "identity"]
      if let own = cookies.header(for: url) { request.headers.add(name: "Cookie", value: own) }
      let response: HTTPClientResponse
      do { response = try await client.execute(request, timeout: .seconds(60)) } catch {
        throw failure(.unreachable, "\(url.host() ?? server) cannot be reached")
      }
      cookies.take(response.headers["Set-Cookie"], from: url)
      let status = Int(response.status.code)
      if (300..<400).contains(status), let target = response.headers.first(name: "Location") {
        url = try followed(URL(string: target, relativeTo: url)?.absoluteURL)
        continue
      }
      guard status == 200 else { throw refused(status) }
      let type = response.headers.first(name: "Content-Type") ?? ""
      guard type.lowercased().hasPrefix("text/html") else {
        return Location(url: url, cookies: cookies.header(for: url))
      }
      let body: ByteBuffer
      do { body = try await response.body.collect(upTo: Self.maximumPageBytes) } catch {
        throw failure(.interrupted, "Google Drive's page broke off, or is no page at all")
      }
      switch DrivePage(String(buffer: body), at: url) {
      case .download(let next) where next != url: url = try followed(next)
      case .quotaExceeded: throw refused(nil)
      case .denied: throw refused(403)
      case .download: throw failure(.interrupted, "Google Drive leads to the same page again")
      case .unknown(let title): throw failure(.interrupted, "Google Drive answers with \(title)")
      }
    }
    throw failure(.interrupted, "Google Drive leads in a circle")
  }

  /// The next address of a redirect or a form, if it belongs to Drive.
  private func followed(_ url: URL?) throws -> URL {
    let host = url?.host() ?? ""
    let isOwn = host == URL(string: server)?.host() && url?.scheme == URL(string: server)?.scheme
    let isGoogle =
      url?.scheme == "https"
      && ["google.com", "googleusercontent.com"].contains { host == $0 || host.hasSuffix("." + $0) }
    guard let url, isOwn || isGoogle, WebURL(url.absoluteString, ports: .all) != nil else {
      throw failure(.interrupted, "Google Drive leads to \(host.prefix(80)), which is not followed")
    }
    return url
  }

  private func refused(_ status: Int?) -> DownloadError {
    switch status {
    case nil:
      failure(
        .status(429),
        "too many have fetched this file; try again in a day, or copy it to your own Drive"
      )
    case 404: failure(.status(404), "there is no such file")
    case 401, 403:
      failure(
        .status(403),
        "it is not shared with everybody; ask its owner, or sign in with a browser"
      )
    case let status?: failure(.status(status), "Google Drive answers HTTP \(status)")
    }
  }

  private func failure(_ cause: DownloadError.Cause, _ reason: String) -> DownloadError {
    DownloadError(cause: cause, description: "Google Drive file \(id): \(reason)")
  }
}

/// A cookie jar for one chain of redirects.
package struct CookieJar {
  private var cookies: [(domain: String, name: String, value: String)] = []

  /// Stores the cookies of a response; one for a foreign domain is ignored.
  package mutating func take(_ headers: [String], from url: URL) {
    guard let host = url.host() else { return }
    for header in headers {
      let parts = header.split(separator: ";").map { $0.drop(while: \.isWhitespace) }
      guard let pair = parts.first, let equals = pair.firstIndex(of: "=") else { continue }
      let stated = parts.dropFirst().first { $0.lowercased().hasPrefix("domain=") }?.dropFirst(7)
      let domain = stated.map { $0.drop { $0 == "." }.lowercased() } ?? host
      guard host == domain || host.hasSuffix("." + domain) else { continue }
      let name = String(pair[..<equals])
      cookies.removeAll { $0.domain == domain && $0.name == name }
      cookies.append((domain, name, String(pair[pair.index(after: equals)...])))
    }
  }

  /// The `Cookie` header of a request; `nil` without cookies for its host.
  package func header(for url: URL) -> String? {
    guard let host = url.host() else { return nil }
    let own = cookies.filter { host == $0.domain || host.hasSuffix("." + $0.domain) }
    return own.isEmpty ? nil : own.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
  }
}
