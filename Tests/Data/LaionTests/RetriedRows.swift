import Foundation
import Laion
import TestSupport

/// A finished split, many of whose rows failed for reasons that have passed since.
enum RetriedRows {
  static let count = 40
  /// Rows that a retry pass requests.
  static var failures: Int { (0..<count).filter { $0 % 3 == 1 || $0 % 10 == 0 }.count }
  /// Pairs after the retry pass: one row in ten fails for ever.
  static var finalPairs: Int { (0..<count).filter { $0 % 10 != 0 }.count }

  /// Runs `body` with the configuration of the retry pass.
  static func withFinishedSplit(
    layout: PairLayout = .folder,
    _ body: (LaionConfiguration, RawServer) async throws -> Void
  ) async throws {
    func routes(isBack: Bool) throws -> [String: RawServer.Script] {
      var routes: [String: RawServer.Script] = [:]
      for i in 0..<count {
        let fails = i % 10 == 0 || i % 3 == 1 && !isBack
        routes["/\(i)"] = fails ? .status(503) : .ok(try samplePNG(i))
      }
      return routes
    }
    let folder = try TemporaryFolder.inMemory()
    defer { withExtendedLifetime(folder) {} }
    let first = try RawServer(try routes(isBack: false))
    try makeFolder(folder.file("meta"))
    let rows = (0..<count).map { (url: first.url("/\($0)"), text: "text \($0)") }
    try writePart(0, in: folder.file("meta"), rows)
    var configuration = loopbackConfiguration(folder.path)
    configuration.fetch.attempts = 1
    configuration.fetch.concurrency = 4
    configuration.rowsPerFlush = 3
    configuration.pairsPerShard = 12
    configuration.layout = layout
    configuration.image.size = layout == .zip ? 32 : nil
    _ = try await LaionDownload(configuration).run()
    first.stop()
    // The port is free when the last thread has closed it.
    var second: RawServer?
    for _ in 0..<1000 where second == nil {
      second = try? RawServer(try routes(isBack: true), port: first.port)
      if second == nil { try await Task.sleep(for: .milliseconds(5)) }
    }
    guard let second else { throw POSIXError(.EADDRINUSE) }
    defer { second.stop() }
    configuration.retriesFailures = true
    try await body(configuration, second)
  }
}
