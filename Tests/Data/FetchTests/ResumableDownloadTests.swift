import Files
import Foundation
import TestSupport
import Testing

@testable import Fetch

@Suite("Resumable download")
struct ResumableDownloadTests {
  private let folder: TemporaryFolder
  private let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) }

  init() throws { folder = try TemporaryFolder() }

  private var digest: String { bytes.withUnsafeBytes { SHA256.digest(of: $0) } }

  private func download(
    _ answer: LoopbackServer.Answer,
    sha256: String?,
    attempts: Int = 3
  ) async throws -> (digest: String, requests: Int, range: String?) {
    let path = folder.file("file.bin")
    return try await LoopbackServer.run(["/f": answer]) { server in
      let download = ResumableDownload(
        url: server.url("/f"),
        path: path,
        sha256: sha256,
        maximumBytes: 300_000,
        attempts: attempts,
        retryDelay: 0.01
      )
      let digest = try await download.run { _, _ in }
      return (digest, server.count("/f"), server.lastHeader("Range", of: "/f"))
    }
  }

  private func cause(_ answer: LoopbackServer.Answer, sha256: String?) async -> DownloadError.Cause?
  {
    do { _ = try await download(answer, sha256: sha256) } catch {
      #expect(!"\(error)".contains("\n"))
      return (error as? DownloadError)?.cause
    }
    return nil
  }

  private var written: [UInt8]? {
    FileManager.default.contents(atPath: folder.file("file.bin")).map { Array($0) }
  }

  @Test func `a complete download has its final name, and no partial file remains`() async throws {
    let found = try await download(.ranged(bytes), sha256: digest)
    #expect(found.digest == digest && found.requests == 1 && found.range == nil)
    #expect(written == bytes)
    #expect(folder.contents == ["file.bin"])
  }

  @Test func `a broken download resumes at its offset`() async throws {
    let found = try await download(
      .sequence([.ranged(bytes, cutAfter: 70_000), .ranged(bytes)]),
      sha256: digest
    )
    #expect(found.requests == 2 && found.range?.hasPrefix("bytes=") == true)
    #expect(written == bytes && folder.contents == ["file.bin"])
  }

  @Test func `a later run resumes an earlier one's download`() async throws {
    let broken = await cause(stuck(after: 30_000), sha256: digest)
    #expect(broken == .interrupted)
    let kept = try #require(
      try FileManager.default.attributesOfItem(atPath: folder.file("file.bin.part"))[.size] as? Int
    )
    #expect(kept == 30_000)
    #expect(written == nil)
    let found = try await download(.ranged(bytes), sha256: digest)
    #expect(found.requests == 1 && found.range == "bytes=\(kept)-")
    #expect(written == bytes)
  }

  @Test func `a partial file of other content fails its hash and is fetched again`()
    async throws
  {
    try folder.write([UInt8](repeating: 1, count: 500), to: "file.bin.part")
    let found = try await download(.ranged(bytes), sha256: digest)
    #expect(found.requests == 2 && found.range == nil)
    #expect(written == bytes)
    // A part as long as the file, or longer, leaves nothing to ask for.
    try folder.write([UInt8](repeating: 1, count: bytes.count), to: "file.bin.part")
    let again = try await download(.ranged(bytes), sha256: digest)
    #expect(again.digest == digest)
  }

  /// Some bytes, then connections that bring nothing more.
  private func stuck(after count: Int, tag: String? = nil) -> LoopbackServer.Answer {
    .sequence([
      .ranged(bytes, tag: tag, cutAfter: count), .ranged(bytes, tag: tag, cutAfter: 0),
    ])
  }

  @Test
  func `a connection that keeps breaking is retried as long as it makes progress`()
    async throws
  {
    let found = try await download(.ranged(bytes, cutAfter: 20_000), sha256: digest, attempts: 2)
    #expect(found.requests == 10 && written == bytes)
    let tagged = try await download(
      .ranged(bytes, tag: "\"a\"", cutAfter: 20_000),
      sha256: nil,
      attempts: 2
    )
    #expect(tagged.requests == 10 && written == bytes)
  }

  @Test func `a complete partial file is not fetched again`() async throws {
    for (tag, sha256) in [(nil, digest), ("\"a\"", nil)] as [(String?, String?)] {
      try folder.write(bytes, to: "file.bin.part")
      if let tag { try folder.write(Array(tag.utf8), to: "file.bin.part.etag") }
      let found = try await download(.ranged(bytes, tag: tag), sha256: sha256)
      #expect(found.requests == 1 && found.range == "bytes=\(bytes.count)-")
      #expect(found.digest == digest && written == bytes && folder.contents == ["file.bin"])
    }
    // Longer than the file: not it.
    try folder.write(bytes + [1], to: "file.bin.part")
    try folder.write(Array("\"a\"".utf8), to: "file.bin.part.etag")
    #expect(try await download(.ranged(bytes, tag: "\"a\""), sha256: nil).digest == digest)
  }

  @Test func `two downloads into one file do not mix their bytes`() async throws {
    try folder.write(Array(bytes.prefix(10)), to: "file.bin.part")
    let part = try PartialFile(folder.file("file.bin.part"), keeping: true)
    let error = await #expect(throws: FileError.self) {
      try await download(.ranged(Array(bytes.reversed())), sha256: nil)
    }
    #expect(error?.description.contains("process \(getpid()) is using it") == true)
    // What the first one has was not touched.
    #expect(part.size == 10)
    let rest = Array(bytes.dropFirst(10))
    try rest.withUnsafeBytes { try part.append($0) }
    try part.finish(as: folder.file("file.bin"))
    #expect(written == bytes && part.digest == digest)
  }

  @Test func `without a hash only a tag lets a file be continued`() async throws {
    #expect(await cause(stuck(after: 9000, tag: "\"a\""), sha256: nil) == .interrupted)
    let same = try await download(.ranged(bytes, tag: "\"a\""), sha256: nil)
    #expect(same.range != nil && same.digest == digest && folder.contents == ["file.bin"])

    #expect(await cause(stuck(after: 9000, tag: "\"a\""), sha256: nil) == .interrupted)
    let changed = try await download(.ranged(Array(bytes.reversed()), tag: "\"b\""), sha256: nil)
    #expect(written == bytes.reversed() && changed.requests == 1)

    // No tag: from the start.
    #expect(await cause(.ranged(bytes, cutAfter: 9000), sha256: nil) == .interrupted)
    #expect(try await download(.ranged(bytes), sha256: nil).range == nil)
  }

  @Test func `another file, a missing one and an endless one leave nothing behind`() async throws {
    #expect(await cause(.ranged(Array(bytes.dropLast())), sha256: digest) == .wrongHash)
    #expect(folder.contents == [])
    #expect(await cause(.status(404), sha256: digest) == .status(404))
    #expect(folder.contents == [])
    #expect(await cause(.endless, sha256: digest) == .tooLarge)
    #expect(await cause(.cut([1, 2], claimed: 1 << 40), sha256: digest) == .tooLarge)
    #expect(written == nil)
  }

  @Test func `a server that claims more than a number can hold is not believed`() {
    #expect(ResumableDownload.sum(.max, 5) == .max)
    #expect(ResumableDownload.sum(7, 5) == 12)
  }

  /// Some bytes of the file, under a tag; the connection closes after them.
  private func cut(after count: Int) -> RawServer.Script {
    let head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: \(bytes.count)\r\n\r\n"
    return .send(Array(head.utf8) + bytes.prefix(count))
  }

  @Test(arguments: [RawServer.Script.send([]), .reset([])])
  func `a request is retried when the server closes the connection without a response`(
    hangsUp: RawServer.Script
  )
    async throws
  {
    let rest = Array(bytes.dropFirst(9000))
    let range = "bytes 9000-\(bytes.count - 1)/\(bytes.count)"
    let head =
      "HTTP/1.1 206 Part\r\nContent-Range: \(range)\r\nContent-Length: \(rest.count)\r\n\r\n"
    let server = try RawServer([
      "/f": .sequence([hangsUp, cut(after: 9000), hangsUp, .send(Array(head.utf8) + rest)]),
      "/never": hangsUp,
    ])
    defer { server.stop() }
    var download = ResumableDownload(
      url: server.url("/f"),
      path: folder.file("file.bin"),
      sha256: nil
    )
    (download.attempts, download.retryDelay) = (3, 0.01)
    #expect(try await download.run { _, _ in } == digest)
    #expect(server.totalCount == 4 && written == bytes)

    var never = ResumableDownload(url: server.url("/never"), path: folder.file("b"), sha256: nil)
    (never.attempts, never.retryDelay) = (3, 0.01)
    let error = await #expect(throws: DownloadError.self) { try await never.run { _, _ in } }
    #expect(error?.cause == .interrupted && server.totalCount == 7)
    #expect(error?.description.contains("before an answer") == true, "\(error?.description ?? "")")
  }

  @Test func `a server that goes away in the middle and comes back gets through`() async throws {
    let first = try RawServer(["/f": cut(after: 9000)])
    let (port, bytes, part) = (first.port, bytes, folder.file("file.bin.part"))
    var download = ResumableDownload(
      url: first.url("/f"),
      path: folder.file("file.bin"),
      sha256: digest
    )
    (download.attempts, download.retryDelay) = (12, 0.05)
    let back = Task {
      while first.totalCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
      first.stop()
      try await Task.sleep(for: .milliseconds(300))
      // Between two attempts the file is nobody else's.
      #expect(throws: FileError.self) { try PartialFile(part, keeping: true) }
      let range = "bytes 9000-\(bytes.count - 1)/\(bytes.count)"
      let head = "HTTP/1.1 206 Part\r\nContent-Range: \(range)\r\nConnection: close\r\n\r\n"
      return try RawServer(["/f": .send(Array(head.utf8) + bytes.dropFirst(9000))], port: port)
    }
    #expect(try await download.run { _, _ in } == digest)
    #expect(written == bytes)
    try await back.value.stop()
  }

  @Test func `an unreachable server is reported as such`() async throws {
    let download = ResumableDownload(
      url: "http://127.0.0.1:1/f",
      path: folder.file("file.bin"),
      sha256: nil
    )
    let error = await #expect(throws: DownloadError.self) { try await download.run { _, _ in } }
    #expect(error?.cause == .unreachable)
  }
}
