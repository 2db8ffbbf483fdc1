import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Images
import JSON
import Logging
import NIOCore
import TestSupport
import Testing

@testable import Studio

/// The emoji model, opened once for all tests.
enum Emoji {
  static let path = Repository.path("Models/emoji")
  private static let opened = Task { () -> (ModelAbout, StudioRoutes.Painting) in
    let painting = StudioRoutes.Painting()
    return (try await painting.open(network: path, clip: nil, threads: 1), painting)
  }

  /// The routes of a studio on an address.
  static func routes(
    host: String = "127.0.0.1",
    runs: String? = nil,
    data: [String] = []
  ) async throws -> StudioRoutes {
    let (about, painting) = try await opened.value
    return StudioRoutes(
      model: about,
      painting: painting,
      runs: try runs.map { try RunsFolder($0) },
      access: Access(host: host),
      training: try data.isEmpty
        ? nil : TrainingPictures(data, clip: about.clip, dimension: about.features)
    )
  }

  /// A packed set of painted pictures, each with its prompt as caption.
  static func pack(_ prompts: [String], in folder: TemporaryFolder) async throws -> String {
    for (number, prompt) in prompts.enumerated() {
      let picture = try await withStudio {
        try await $0.post("/api/paint", #"{"prompt": "\#(prompt)", "seed": \#(number)}"#).bytes
      }
      try folder.write(picture, to: "pairs/\(number).png")
      try folder.write(Array(prompt.utf8), to: "pairs/\(number).txt")
    }
    let words = "pack --source=pairs --dest=data.zip --width=64 --height=64 --clip"
    let packed = try await niftyAside(
      words.split(separator: " ").map(String.init) + [path + "/clip.safetensors"],
      in: folder.path
    )
    try #require(packed.status == 0, "\(packed.errors)")
    return folder.file("data.zip")
  }
}

/// Runs a closure with a client that needs no socket.
func withStudio<Value>(
  host: String = "127.0.0.1",
  runs: String? = nil,
  data: [String] = [],
  _ body: @Sendable @escaping (any TestClientProtocol) async throws -> Value
) async throws -> Value {
  let routes = try await Emoji.routes(host: host, runs: runs, data: data)
  return try await Application(router: routes.router(), logger: quiet).test(.router, body)
}

private let quiet: Logger = {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}()

/// Serves while the body runs.
func serving(
  _ routes: StudioRoutes,
  connections: Int = 64,
  seconds: Int64 = 30,
  _ body: @Sendable @escaping (Int) async throws -> Void
) async throws {
  var settings = StudioRoutes.Settings(host: "127.0.0.1", port: 0)
  settings.connections = connections
  settings.secondsToAsk = seconds
  settings.secondsToRead = seconds
  let (ports, found) = AsyncStream.makeStream(of: Int.self)
  try await withThrowingTaskGroup(of: Void.self) { [settings] group in
    group.addTask {
      try await routes.serve(with: settings) { port in
        found.yield(port)
        found.finish()
      }
    }
    var iterator = ports.makeAsyncIterator()
    let port = try #require(await iterator.next())
    try await body(port)
    group.cancelAll()
  }
}

extension TestClientProtocol {
  /// Posts JSON.
  func post(_ path: String, _ json: String, _ fields: HTTPFields = [:]) async throws -> TestResponse
  {
    var headers = fields
    headers[.contentType] = headers[.contentType] ?? "application/json"
    return try await execute(
      uri: path,
      method: .post,
      headers: headers,
      body: ByteBuffer(string: json)
    )
  }

  func get(_ path: String, _ fields: HTTPFields = [:]) async throws -> TestResponse {
    try await execute(uri: path, method: .get, headers: fields)
  }
}

extension TestResponse {
  var bytes: [UInt8] { Array(body.readableBytesView) }
  var json: OptionValue? { OptionValue(json: String(decoding: bytes, as: UTF8.self)) }
  /// The one line of an error.
  var complaint: String? { json?["error"]?["message"]?.string }
}
