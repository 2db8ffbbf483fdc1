import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// An error that keeps the studio from opening, in one line.
package struct StudioError: Error, CustomStringConvertible {
  package let description: String

  /// An error with a message.
  package init(_ description: String) { self.description = description }
}

extension StudioRoutes {
  /// The address and limits of a server.
  package struct Settings: Sendable {
    /// An address or a name of this machine.
    package let host: String
    /// The port; 0 for any free one.
    package let port: Int
    /// The most concurrent connections; above it the longest idle one is closed.
    package var connections = 256
    /// The time limit of a request's head, in seconds.
    package var secondsToAsk: Int64 = 20
    /// The time limit of a client's read from its answer, in seconds.
    package var secondsToRead: Int64 = 20

    /// Settings with the default limits.
    package init(host: String, port: Int) { (self.host, self.port) = (host, port) }
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameters:
  ///   - settings: The address and the limits.
  ///   - onRunning: Called with the port once the server listens.
  /// - Throws: `StudioError` if it cannot listen there.
  package func serve(
    with settings: Settings,
    onRunning: @escaping @Sendable (Int) async -> Void
  ) async throws {
    var logger = Logger(label: "studio")
    // Errors of clients are answered, not logged.
    logger.logLevel = .critical
    let connections = connections
    connections.limit(to: settings.connections)
    let application = Application(
      router: router(),
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [
            ConnectionDeadlines(
              connections,
              requestDeadline: .seconds(settings.secondsToAsk),
              readDeadline: .seconds(settings.secondsToRead)
            )
          ],
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10,
            maxHeaderListSize: 32 << 10,
            maxHeaderFieldCount: 100
          )
        )
      ),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(2 * settings.connections)
      ),
      onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? settings.port) },
      logger: logger
    )
    do {
      try await application.run()
    } catch let error as IOError {
      let owners = PortOwner.names(of: settings.port).joined(separator: ", ")
      throw StudioError(
        error.errnoCode == EADDRINUSE
          ? "port \(settings.port) of \(settings.host) is in use\(owners.isEmpty ? "" : " by \(owners)"); "
            + "end \(owners.isEmpty ? "the program that has it" : "that"), or give --port 0 for a free one"
          : "cannot listen on port \(settings.port) of \(settings.host): \(reason(error))"
      )
    } catch let error where !(error is CancellationError) {
      throw StudioError("cannot listen on port \(settings.port) of \(settings.host): \(error)")
    }
  }

  private func reason(_ error: IOError) -> String { String(cString: strerror(error.errnoCode)) }
}
