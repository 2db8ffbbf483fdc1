import Files
import Foundation
import Glibc
import Images
import Synchronization
import TestSupport
import Testing

/// A download into an object store and its twin on this machine, by the real program.
final class ObjectStoreFixture: Sendable {
  let folder: TemporaryFolder
  let store: ObjectStoreServer
  private let web: RawServer
  private let flags: [String]

  /// Rows of pictures, each followed by noise in a chunk of its own, and a server for them.
  ///
  /// - Parameters:
  ///   - rows: Rows; every seventh has no picture.
  ///   - padding: Bytes of noise beside each picture.
  ///   - pause: Seconds before each picture.
  ///   - flags: Flags of every run.
  ///   - weather: How the store fails.
  /// - Throws: What keeps one of the servers from starting.
  init(
    rows: Int,
    padding: Int = 0,
    pause: Double = 0.02,
    _ flags: [String],
    weather: ObjectStoreServer.Weather = .init()
  ) throws {
    folder = try TemporaryFolder.inMemory()
    store = try ObjectStoreServer(weather)
    self.flags = flags
    var routes: [String: RawServer.Script] = [:]
    for row in 0..<rows where row % 7 != 3 {
      routes["/\(row)"] = .delayed(
        UInt32(pause * 1e6),
        .ok(try Self.picture(row, padding: padding))
      )
    }
    web = try RawServer(routes)
    let lines = (0..<rows).map { "\(web.url("/\($0)"))\tcaption \($0)\n" }
    try folder.write(Array(("url\tcaption\n" + lines.joined()).utf8), to: "meta/rows.tsv")
  }

  deinit { web.stop() }

  /// A small PNG with a large private chunk before its end.
  private static func picture(_ number: Int, padding: Int) throws -> [UInt8] {
    let color = Color(UInt8(number * 5 & 255), UInt8(number >> 3 & 255), 90)
    let png = try RGBImage(width: 48, height: 40, filledWith: color).encodedPNG()
    if padding == 0 { return png }
    var random = SeededGenerator(state: UInt64(number))
    var content = Array("niFy".utf8)
    for _ in 0..<padding / 8 { withUnsafeBytes(of: random.next()) { content += Array($0) } }
    func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
    let chunk =
      word(UInt32(content.count - 4)) + content + word(content.withUnsafeBytes(CRC32.of))
    return png.dropLast(12) + chunk + png.suffix(12)
  }

  /// The words of a run; `out` is a folder, or the name of a prefix in the store.
  private func words(_ out: String, _ more: [String]) -> [String] {
    ["laion", "--metadata=meta", "--allow-private-addresses", "--ignore-robots", "--out=\(out)"]
      + flags
      + more
  }

  /// Runs the twin, whose files stay here, once; returns its files.
  func twin(_ more: [String] = []) async throws -> [String: Data] {
    let outcome = try await niftyAside(words("local", more), in: folder.path)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try files(in: folder.file("local"))
  }

  /// Runs the download to its end, whatever that is.
  func run(_ more: [String] = [], environment: [String: String] = [:]) async throws -> Outcome {
    try await niftyAside(
      words("s3://pairs/some/laion", ["--work=work"] + more),
      in: folder.path,
      environment: store.environment.merging(environment) { $1 }
    )
  }

  /// Runs the download and kills it after some seconds.
  ///
  /// - Returns: What it had said, and whether it had ended before.
  func killed(
    after seconds: Double,
    _ more: [String] = []
  ) async throws -> (said: String, isDone: Bool) {
    let process = Process()
    process.executableURL = URL(filePath: try program())
    process.arguments = words("s3://pairs/some/laion", ["--work=work"] + more)
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(store.environment) { $1 }
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let number = process.processIdentifier
    // On a thread of its own: a task would wait for one of the pool, which other tests hold.
    let isOver = Atomic(false)
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: seconds)
      if !isOver.load(ordering: .relaxed) { kill(number, SIGKILL) }
    }
    process.waitUntilExit()
    isOver.store(true, ordering: .relaxed)
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return (said, process.terminationReason == .exit && process.terminationStatus == 0)
  }

  /// The objects of the download by name, and the uploads in parts that were left behind.
  func objects() throws -> (files: [String: Data], leftUploads: Int) {
    let copy = try TemporaryFolder.inMemory()
    let left = try store.download(prefix: "some/laion/", to: copy.path)
    return (try files(in: copy.path), left)
  }

  /// The paths below the folder of the test whose files hold the secret.
  func leaks() throws -> [String] {
    let secret = Data(store.secret.utf8)
    var leaks: [String] = []
    for case let path as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
      guard let data = FileManager.default.contents(atPath: folder.file(path)) else { continue }
      if data.range(of: secret) != nil { leaks.append(path) }
    }
    return leaks
  }

  /// All files under their final names, by path; statistics without the time that it took.
  private func files(in root: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
      let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") }
      guard !isHidden, !isFolder("\(root)/\(path)") else { continue }
      var data = try Data(contentsOf: URL(filePath: "\(root)/\(path)"))
      if path.hasSuffix("stats.json") {
        let text = String(decoding: data, as: UTF8.self)
        data = Data(
          text.split(separator: "\n").filter { !$0.contains("\"seconds\"") }.joined().utf8
        )
      }
      files[path] = data
    }
    return files
  }

  /// The paths whose contents differ or that only one side has.
  static func differences(_ left: [String: Data], _ right: [String: Data]) -> [String] {
    Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
  }
}
