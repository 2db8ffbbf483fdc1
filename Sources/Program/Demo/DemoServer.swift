import Hummingbird
import Logging
import NIOCore

/// Serves the files of a folder on 127.0.0.1 as long as `body` runs.
///
/// - Parameters:
///   - folder: The served folder; nothing outside of it is.
///   - port: The port to listen on; 0 takes a free one.
///   - isolation: Where `body` runs: where the caller does.
///   - body: Gets the address, `http://127.0.0.1:PORT`, without a slash at the end. The server stops when
///     it returns or throws.
/// - Returns: What `body` returns.
/// - Throws: `DemoError.server` when the port is taken, and whatever `body` throws.
package func withDemoServer<Result>(
  _ folder: String,
  port: Int = 0,
  isolation: isolated (any Actor)? = #isolation,
  _ body: (String) async throws -> Result
) async throws -> Result {
  var logger = Logger(label: "demo")
  // Stopping by cancellation is the plan here, and Hummingbird reports it as an error.
  logger.logLevel = .critical
  let router = Router()
  router.add(middleware: FileMiddleware(folder, logger: logger))
  let (ports, found) = AsyncStream.makeStream(of: Int.self)
  let application = Application(
    router: router,
    configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
    onServerRunning: { channel in
      if let port = channel.localAddress?.port { found.yield(port) }
      found.finish()
    },
    logger: logger
  )
  return try await withThrowingTaskGroup(of: Void.self) { group in
    defer { group.cancelAll() }
    group.addTask {
      defer { found.finish() }
      do {
        try await application.run()
      } catch let error where !(error is CancellationError) {
        throw DemoError.server(reason: "\(error)")
      }
    }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next(isolation: isolation) else {
      try await group.waitForAll()
      throw DemoError.server(reason: "it has no address")
    }
    return try await body("http://127.0.0.1:\(port)")
  }
}
