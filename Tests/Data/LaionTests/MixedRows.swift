import Foundation
import Laion
import TestSupport

/// Rows with every outcome: good, slow, flaky, missing, broken, filtered, without caption.
enum MixedRows {
  static let count = 120

  private static func routes() throws -> [String: RawServer.Script] {
    var routes: [String: RawServer.Script] = [:]
    for i in 0..<count {
      let image = RawServer.Script.ok(try samplePNG(i))
      routes["/\(i)"] =
        switch i % 8 {
        case 1: .delayed(5000 + UInt32(i) % 30 * 1000, image)
        case 2: .status(404)
        case 3: .sequence([.status(503), image])
        case 5: .ok([0xFF, 0xD8, 0xFF, 0xE0])
        default: image
        }
    }
    return routes
  }

  private static func rows(_ server: RawServer) -> [(url: String?, text: String?)] {
    (0..<count).map { i in
      let text = i % 17 == 4 ? "unsafe \(i)" : i % 19 == 6 ? nil : "caption \(i)\nзаголовок \(i)"
      return (i % 23 == 9 ? nil : server.url("/\(i)"), text)
    }
  }

  /// Runs `body` with a configuration whose metadata exists.
  ///
  /// Nothing goes to a disk if that can be: flushing one, with all that others write to it, would take
  /// most of the time. What a disk keeps when the power fails no test can see anyway.
  static func withMetadata(
    _ body: (LaionConfiguration, RawServer) async throws -> Void
  ) async throws {
    let server = try RawServer(routes())
    defer { server.stop() }
    let folder = try TemporaryFolder.inMemory()
    try makeFolder(folder.file("meta"))
    try writePart(0, in: folder.file("meta"), rows(server))
    var configuration = loopbackConfiguration(folder.path)
    configuration.window = 32
    configuration.rowsPerFlush = 5
    configuration.fetch.concurrency = 8
    try await body(configuration, server)
  }
}

extension SplitStatistics {
  /// What does not depend on how long it took.
  var withoutTime: SplitStatistics {
    var statistics = self
    statistics.seconds = 0
    return statistics
  }
}

/// All files under their final names, by path below `folder`; of statistics what does not depend on
/// how long it took.
func finalFiles(in folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
    let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") }
    var isFolder: ObjCBool = false
    let whole = "\(folder)/\(path)"
    guard !isHidden, FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder),
      !isFolder.boolValue
    else { continue }
    if path.hasSuffix("stats.json"), let statistics = SplitStatistics.read(whole) {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      files[path] = try encoder.encode(statistics.withoutTime)
    } else {
      files[path] = try Data(contentsOf: URL(filePath: whole))
    }
  }
  return files
}

/// The paths whose contents differ or that only one side has.
func differences(_ left: [String: Data], _ right: [String: Data]) -> [String] {
  Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
}
