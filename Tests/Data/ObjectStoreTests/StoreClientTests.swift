import Files
import Foundation
import TestSupport
import Testing
import Web

@testable import ObjectStore

/// The client against servers that answer badly, and files on their way.
@Suite("Clients of a store", .serialized)
struct StoreClientTests {
  private static let slow = Array(
    "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>".utf8
  )

  private func answer(_ status: String, _ body: [UInt8], _ headers: String = "") -> RawServer.Script
  {
    let head =
      "HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(headers)Connection: close\r\n\r\n"
    return .send(Array(head.utf8) + body)
  }

  private func withClient<Value: Sendable>(
    _ server: RawServer,
    attempts: Int = 6,
    _ body: (StoreClient) async throws -> Value
  ) async throws -> Value {
    let settings = StoreSettings(
      credentials: try Credentials(accessKey: "AK", secret: "SK", source: "a test"),
      region: "us-east-1",
      endpoint: try StoreSettings.endpoint(server.url(""))
    )
    let client = StoreClient(
      bucket: "abc",
      settings: settings,
      attempts: attempts,
      retryDelay: 0.01
    )
    let result: Result<Value, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await client.shutDown()
    return try result.get()
  }

  private func failure(_ script: RawServer.Script) async throws -> StoreError {
    let server = try RawServer { _ in script }
    defer { server.stop() }
    return try await withClient(server, attempts: 2) { client in
      let error = await #expect(throws: StoreError.self) {
        try await client.list(prefix: "") { _ in }
      }
      return try #require(error)
    }
  }

  @Test func `what may pass is asked again, what may not is not`() async throws {
    let object = answer("200 OK", [], "ETag: \"0a\"\r\n")
    let server = try RawServer([
      "/abc/a": .sequence([
        answer("503 Slow Down", Self.slow), .reset([]), answer("500 No", []), .send([]), object,
      ]),
      "/abc/b": answer("403 No", Array("<Error><Code>AccessDenied</Code></Error>".utf8)),
    ])
    defer { server.stop() }
    try await withClient(server) { client in
      try await client.delete("a")
      #expect(server.totalCount == 5)
      let error = await #expect(throws: StoreError.self) { try await client.delete("b") }
      #expect(error?.cause == .refused(code: "AccessDenied") && server.totalCount == 6)
    }
  }

  @Test func `lists that are damaged, endless or of another place are refused`() async throws {
    func list(_ items: String, _ rest: String = "") -> [UInt8] {
      Array("<ListBucketResult>\(items)\(rest)</ListBucketResult>".utf8)
    }
    func item(_ key: String, _ size: String = "1") -> String {
      "<Contents><Key>\(key)</Key><Size>\(size)</Size></Contents>"
    }
    let more = "<IsTruncated>true</IsTruncated>"
    let token = "<NextContinuationToken>t</NextContinuationToken>"
    for (body, words) in [
      (Array("<html></html>".utf8), "answers with no list"), ([], "answers with no list"),
      (list(item("a", "-1")), "without key or size"), (list(item("b") + item("a")), "out of order"),
      (list(item("a"), more), "breaks off the list"),
      (list("", more + token), "breaks off the list"),
      (list(item("a"), more + token), "out of order"),
    ] {
      let error = try await failure(answer("200 OK", body))
      #expect(error.description.contains(words) && error.cause == .damaged, "\(error)")
    }
    let endless = try await failure(
      .forever(
        Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8),
        then: .init(repeating: 0x41, count: 1 << 20)
      )
    )
    #expect(endless.description.contains("more than 16 MiB"))
    let moved = try await failure(answer("301 Moved", [], "Location: http://127.0.0.1:1/\r\n"))
    #expect(moved.description.contains("is in another region"), "\(moved)")
    let fallen = try await failure(answer("503 Slow Down", Self.slow))
    #expect(
      fallen.description.contains("HTTP 503 SlowDown, “Reduce your request rate.”"),
      "\(fallen)"
    )
  }

  @Test(.enabled(if: ObjectStoreServer.isAvailable, "needs moto"))
  func `lists go on over pages, with names of every kind`() async throws {
    let store = try ObjectStoreServer()
    defer { store.stop() }
    let names = ["a", "a b", "a+b", "ä/ö", "b/%41", "c&<d>", "e'\"~!*()", "z=1?2#3"]
    try await withStore(store) { client in
      for name in names { _ = try await client.put("in/" + name, Array(name.utf8), sha256: "x") }
      var found: [String] = []
      try await client.list(prefix: "in/", pageSize: 3) {
        found.append(String($0.key.dropFirst(3)))
      }
      #expect(found == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
      for name in names { #expect(try await client.head("in/" + name)?.size == name.utf8.count) }
      #expect(try await client.head("in/none") == nil)
    }
  }

  @Test(.enabled(if: ObjectStoreServer.isAvailable, "needs moto"))
  func `an upload in parts goes on with those that are there, and strange ones are given up`()
    async throws
  {
    let store = try ObjectStoreServer()
    defer { store.stop() }
    let folder = try TemporaryFolder()
    let (part, size) = (5 << 20, 12 << 20)
    var random = SeededGenerator(state: 3)
    var bytes: [UInt8] = []
    while bytes.count < size { withUnsafeBytes(of: random.next()) { bytes += Array($0) } }
    try folder.write(bytes, to: "file")
    let digest = try SHA256.digest(ofFile: folder.file("file"))
    try await withStore(store) { client in
      _ = try await client.beginUpload("x", sha256: "of another")
      let ours = try await client.beginUpload("x", sha256: digest)
      _ = try await client.put("x", part: 1, of: ours, Array(bytes[..<part]))
      _ = try await client.put("x", part: 2, of: ours, Array(bytes[..<part]))
      var upload = FileUpload(folder.file("file"), to: "x", by: client)
      upload.partSize = part
      var noted: [FileUpload.Begun] = []
      let begun = FileUpload.Begun(sha256: digest, upload: ours)
      let receipt = try await upload.run(continuing: begun) { noted.append($0) }
      // The second part was of other bytes.
      #expect(receipt?.sent == size - part && receipt?.sha256 == digest && noted == [begun])
      #expect(receipt?.tag.hasSuffix("-3") == true)
      #expect(try await client.uploads(of: "x").isEmpty)
      #expect(try await upload.run { _ in Issue.record("sent twice") }?.sent == 0)
      let there = try #require(try await client.head("x"))
      try await ObjectDownload(there, to: folder.file("back"), by: client).run()
      #expect(try SHA256.digest(ofFile: folder.file("back")) == digest)
    }
  }

  @Test(.enabled(if: ObjectStoreServer.isAvailable, "needs moto"))
  func `an upload whose begin was answered in vain leaves no other behind`() async throws {
    // After a look at the key and at its uploads the third request begins one, and its answer is lost.
    var weather = ObjectStoreServer.Weather()
    weather.failsEvery = 6
    let store = try ObjectStoreServer(weather)
    defer { store.stop() }
    let folder = try TemporaryFolder()
    try folder.write((0..<11 << 20).map { UInt8(truncatingIfNeeded: $0 >> 7) }, to: "file")
    try await withStore(store) { client in
      var upload = FileUpload(folder.file("file"), to: "x", by: client)
      upload.partSize = 5 << 20
      let receipt = try await upload.run { _ in }
      #expect(receipt?.sent == 11 << 20)
      #expect(try await client.uploads(of: "x").isEmpty)
      #expect(try await client.head("x")?.sha256 == receipt?.sha256)
    }
  }

  @Test(.enabled(if: ObjectStoreServer.isAvailable, "needs moto"))
  func `a download goes on where it stopped, unless the object changed`() async throws {
    let store = try ObjectStoreServer()
    defer { store.stop() }
    let folder = try TemporaryFolder()
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 5) }
    let digest = bytes.withUnsafeBytes { SHA256.digest(of: $0) }
    try await withStore(store) { client in
      _ = try await client.put("y", bytes, sha256: digest)
      let object = try #require(try await client.head("y"))
      try folder.write(Array(bytes[..<100_000]), to: "file.part")
      try folder.write(Array(object.tag.utf8), to: "file.part.etag")
      var first: Int?
      try await ObjectDownload(object, to: folder.file("file"), by: client).run {
        first = first ?? $0
      }
      #expect(try TestSupport.bytes(of: folder.file("file")) == bytes && (first ?? 0) > 100_000)
      #expect(folder.contents == ["file"])
      // A part of another version is not continued, and another version is not taken for this one.
      try folder.write(.init(repeating: 1, count: 1000), to: "other.part")
      try folder.write(Array("another".utf8), to: "other.part.etag")
      try await ObjectDownload(object, to: folder.file("other"), by: client).run()
      #expect(try TestSupport.bytes(of: folder.file("other")) == bytes)
      _ = try await client.put("y", bytes.reversed(), sha256: "x")
      let error = await #expect(throws: StoreError.self) {
        try await ObjectDownload(object, to: folder.file("new"), by: client).run()
      }
      #expect(error?.description.contains("changed while it was downloaded") == true)
      let wrong = await #expect(throws: StoreError.self) {
        let there = try #require(try await client.head("y"))
        try await ObjectDownload(there, to: folder.file("new"), by: client).run(sha256: digest)
      }
      #expect(wrong?.description.contains("nothing was kept") == true)
      #expect(!folder.contents.contains("new"))
    }
  }

  private func withStore(
    _ store: ObjectStoreServer,
    _ body: (StoreClient) async throws -> Void
  ) async throws {
    let settings = try StoreSettings(
      environment: store.environment.merging(["AWS_PROFILE": ""]) { $1 }
    )
    try await StoreClient.with(bucket: "pairs", settings: settings, body)
  }
}
