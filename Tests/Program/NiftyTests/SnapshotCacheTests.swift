import Foundation
import TestSupport
import Testing

@Suite("Cache of snapshots")
struct SnapshotCacheTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a web page instead of a snapshot is named and not cached`() async throws {
    let server = try RawServer(["/x.pkl": .ok(Array("<html>sign in</html>".utf8))])
    defer { server.stop() }
    for _ in 0..<2 {
      let outcome = try await niftyAside(
        ["convert", server.url("/x.pkl"), "out"],
        in: folder.path,
        environment: ["NIFTY_CACHE": folder.file("cache")]
      )
      #expect(outcome.status == 1 && outcome.errors.contains("it was removed"))
    }
    #expect(server.totalCount == 2)
  }
}
