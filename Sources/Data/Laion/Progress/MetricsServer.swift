package import Files
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Answers Prometheus at `/metrics` while a download runs.
///
/// At most `maximumConnections` at a time, each for one request and a few seconds: idle clients must not
/// take the descriptors that the download needs.
package final class MetricsServer: Sendable {
  /// The limit on connections; further ones are refused.
  package static let maximumConnections = 32
  /// Seconds to receive a request and send its response.
  package static let deadline = 10.0

  /// The port that it listens on.
  package let port: Int

  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  private let latest: LatestProgress

  /// Listens on one address of the machine.
  ///
  /// - Parameters:
  ///   - port: The port; 0 lets the system choose.
  ///   - address: The address to bind; "0.0.0.0" for all. The default is not reachable from outside.
  ///   - deadline: Seconds that a connection may last.
  /// - Throws: `FileError` if the port is taken or invalid.
  package init(
    port: Int,
    on address: String = "127.0.0.1",
    deadline: Double = MetricsServer.deadline
  ) async throws(FileError) {
    if !(0...65_535).contains(port) {
      throw FileError("listen on", path: "port \(port)", reason: "ports are 0 to 65535")
    }
    let latest = LatestProgress()
    self.latest = latest
    let slots = ConnectionSlots(Self.maximumConnections)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          guard slots.take() else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
          }
          channel.closeFuture.whenComplete { _ in slots.release() }
          let end = channel.eventLoop.scheduleTask(in: .nanoseconds(Int64(deadline * 1e9))) {
            channel.close(promise: nil)
          }
          channel.closeFuture.whenComplete { _ in end.cancel() }
          return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(Responder(latest: latest))
          }
        }
        .bind(host: address, port: port)
        .get()
    } catch {
      group.shutdownGracefully { _ in }
      throw FileError("listen on", path: "port \(port) of \(address)", reason: Self.reason(error))
    }
    self.port = channel.localAddress?.port ?? port
  }

  /// Why a port cannot be had, and what to do where another program has it.
  private static func reason(_ error: any Error) -> String {
    guard let error = error as? IOError else { return "\(error)" }
    let reason = String(cString: strerror(error.errnoCode))
    return error.errnoCode == EADDRINUSE
      ? "\(reason); another program has it: give another --metrics-port, or 0 for a free one"
      : reason
  }

  /// Updates the progress of a split.
  package func note(_ progress: LaionProgress) { latest.note(progress) }

  /// Stops listening.
  package func shutDown() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}

/// Slots for connections.
private final class ConnectionSlots: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  func take() -> Bool {
    left.withLock { left in
      if left == 0 { return false }
      left -= 1
      return true
    }
  }

  func release() { left.withLock { $0 += 1 } }
}

/// The latest progress of each split.
private final class LatestProgress: Sendable {
  private let splits = Mutex<[Int: LaionProgress]>([:])

  func note(_ progress: LaionProgress) { splits.withLock { $0[progress.split] = progress } }

  var text: String {
    PrometheusText.text(splits.withLock { $0.values.sorted { $0.split < $1.split } })
  }
}

private final class Responder: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let latest: LatestProgress
  private var isFound = false

  init(latest: LatestProgress) { self.latest = latest }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): isFound = head.uri == "/metrics"
    case .body: break
    case .end:
      let body = ByteBuffer(string: isFound ? latest.text : "see /metrics\n")
      let head = HTTPResponseHead(
        version: .http1_1,
        status: isFound ? .ok : .notFound,
        headers: [
          "Content-Type": "text/plain; version=0.0.4",
          "Content-Length": "\(body.readableBytes)", "Connection": "close",
        ]
      )
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
