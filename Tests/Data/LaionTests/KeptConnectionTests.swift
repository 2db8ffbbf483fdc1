import Foundation
import Laion
import TestSupport
import Testing

/// A server may close a kept connection in the moment in which we send over it.
@Suite struct KeptConnectionTests {
  /// Downloads every path of the server, each in a single attempt; one after another, or several at
  /// once.
  private func download(
    _ paths: [String],
    from server: RawServer,
    atOnce count: Int = 1
  ) async throws -> SplitStatistics {
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      let rows = paths.map { (url: "http://127.0.0.1:\(server.port)\($0)", text: "x") }
      try writePart(0, in: folder + "/meta", rows)
      var configuration = loopbackConfiguration(folder)
      configuration.fetch.attempts = 1
      configuration.fetch.concurrencyPerHost = count
      return try #require(try await LaionDownload(configuration).run().splits.first)
    }
  }

  @Test func `a kept connection that is closed at once costs no attempt`() async throws {
    var routes: [String: RawServer.Script] = [:]
    for i in 0..<10 {
      let image = try samplePNG(i)
      let head = "HTTP/1.1 200 OK\r\nContent-Length: \(image.count)\r\n\r\n"
      routes["/\(i)"] = .keep(Array(head.utf8) + image)
    }
    let server = try RawServer(routes)
    defer { server.stop() }
    let statistics = try await download((0..<10).map { "/\($0)" }, from: server)
    #expect(statistics.pairs == 10)
    #expect(statistics.failures.isEmpty)
    // Every second request went out over a kept connection and again over a new one.
    #expect(server.accepted == 10)
  }

  /// A row that waits for a connection may be given that of another, which does not know yet itself
  /// that it was answered.
  @Test func `connections that are closed at once cost none of many rows an attempt`() async throws
  {
    let answer = RawServer.Script.keep(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8))
    let paths = (0..<120).map { "/\($0)" }
    for _ in 0..<5 {
      let server = try RawServer(Dictionary(uniqueKeysWithValues: paths.map { ($0, answer) }))
      defer { server.stop() }
      let statistics = try await download(paths, from: server, atOnce: paths.count)
      #expect(statistics.failures == ["HTTP 204": paths.count])
    }
  }

  @Test func `a new connection that is closed without a response is not retried`() async throws {
    let server = try RawServer(["/": .send([])])
    defer { server.stop() }
    #expect(try await download(["/"], from: server).failures == ["connection lost": 1])
    #expect(server.accepted == 1)
  }

  @Test func `a kept connection that breaks within an answer is a failure`() async throws {
    let image = try samplePNG(1)
    let head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(image.count)\r\n\r\n".utf8)
    let server = try RawServer([
      "/whole": .send(head + image), "/torn": .send(head + image.prefix(20)),
    ])
    defer { server.stop() }
    let statistics = try await download(["/whole", "/torn"], from: server)
    #expect(statistics.pairs == 1)
    #expect(statistics.failures == ["connection lost": 1])
  }
}
