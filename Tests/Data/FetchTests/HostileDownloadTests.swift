import Foundation
import TestSupport
import Testing

@testable import Fetch

@Suite("Downloads from hostile servers")
struct HostileDownloadTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func text(_ head: String, _ body: String = "") -> [UInt8] {
    Array((head.replacing("\n", with: "\r\n") + "\r\n\r\n" + body).utf8)
  }

  private func failure(_ url: String, sha256: String? = nil) async -> DownloadError? {
    var download = ResumableDownload(url: url, path: folder.file("file.bin"), sha256: sha256)
    (download.attempts, download.retryDelay) = (2, 0.01)
    do { _ = try await download.run { _, _ in } } catch { return error as? DownloadError }
    return nil
  }

  @Test(arguments: ["000", "001", "099"])
  func `an invalid status is reported for files and pages`(status: String) async throws {
    let server = try RawServer([
      "/f": .send(text("HTTP/1.1 \(status) Odd\nContent-Length: 2", "ab"))
    ])
    defer { server.stop() }
    let error = await failure(server.url("/f"))
    #expect(error?.cause == .unreachable)
    #expect(error?.description.contains("the status \(Int(status) ?? -1), which is none") == true)
    await #expect(throws: DownloadError.self) { try await WebPage(server.url("/f")).text() }
  }

  @Test(arguments: [
    "http://127.0.0.1:65536/f", "http://127.0.0.1:99999/f", "http://localhost:70000/f",
    "http://127.0.0.1:0/f", "http://[::1]:65536/", "http://127.0.0.1:-1/f", "http:///f",
    "http://user:secret@127.0.0.1/f",
  ])
  func `an invalid URL is refused without repeating its password`(
    address: String
  ) async throws {
    let error = await failure(address)
    #expect(error?.cause == .invalidAddress && error?.description.contains("secret") == false)
    await #expect(throws: DownloadError.self) { try await WebPage(address).text() }
  }

  @Test(arguments: [
    "http://127.0.0.1:65536/f", "//127.0.0.1:100000/", "http://[::1]:65536/", "file:///etc/passwd",
    "http://a:b@127.0.0.1/", "http+unix://%2Ftmp%2Fsocket/",
  ])
  func `a redirect to an invalid URL is refused`(location: String) async throws {
    let server = try RawServer([
      "/f": .send(text("HTTP/1.1 302 Found\nLocation: \(location)\nContent-Length: 0"))
    ])
    defer { server.stop() }
    #expect(await failure(server.url("/f"))?.cause == .invalidAddress)
  }

  @Test func `redirects are followed to the end, but not in a circle`() async throws {
    let server = try RawServer([
      "/a": .send(text("HTTP/1.1 302 Found\nLocation: b?x=%20y\nContent-Length: 0")),
      "/b?x=%20y": .ok([1, 2, 3]),
      "/c": .send(text("HTTP/1.1 302 Found\nLocation: /c\nContent-Length: 0")),
    ])
    defer { server.stop() }
    #expect(await failure(server.url("/a")) == nil)
    #expect(FileManager.default.contents(atPath: folder.file("file.bin")) == Data([1, 2, 3]))
    #expect(await failure(server.url("/c"))?.cause == .invalidAddress)
  }

  @Test func `a partial file is not continued with a file of another size`() async throws {
    let head = "HTTP/1.1 200 OK\nETag: \"a\"\nContent-Length: 6"
    let server = try RawServer([
      "/f": .sequence([
        .send(text(head, "abc")),
        .send(text("HTTP/1.1 206 Part\nContent-Range: bytes 3-8/9\nContent-Length: 6", "XXXXXX")),
        .send(text(head, "abcdef")),
      ])
    ])
    defer { server.stop() }
    var download = ResumableDownload(url: server.url("/f"), path: folder.file("f"), sha256: nil)
    (download.attempts, download.retryDelay) = (4, 0.01)
    _ = try await download.run { _, _ in }
    #expect(FileManager.default.contents(atPath: folder.file("f")) == Data("abcdef".utf8))
  }

  @Test func `Content-Range is parsed strictly`() {
    let range = ContentRange("bytes 3-8/9")
    #expect(range?.start == 3 && range?.count == 6 && range?.total == 9)
    #expect(ContentRange("bytes 0-0/*")?.total == .some(nil))
    for text in [
      "", "bytes", "bytes 3-2/9", "bytes 3-8/8", "bytes -1-8/9", "bytes */9", "bytes 0-1/2/3",
      "bytes 0-9223372036854775807/*", "bytes 0-99999999999999999999/*", "items 0-1/2",
    ] { #expect(ContentRange(text) == nil, "\(text)") }
  }
}
