package import Files
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers Prometheus at `/metrics` while a download runs.
package final class MetricsServer: Sendable {
  /// The port that it listens on.
  package let port: Int

  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  private let board: Board

  /// Listens on one address of the machine.
  ///
  /// - Parameters:
  ///   - port: The port; 0 lets the system choose.
  ///   - address: Which one; "0.0.0.0" for all. Without a word nobody outside can ask.
  /// - Throws: `FileError` when the port is taken or none.
  package init(port: Int, on address: String = "127.0.0.1") async throws(FileError) {
    if !(0...65_535).contains(port) {
      throw FileError("listen on", path: "port \(port)", reason: "ports are 0 to 65535")
    }
    let board = Board()
    self.board = board
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(Responder(board: board))
          }
        }
        .bind(host: address, port: port)
        .get()
    } catch {
      group.shutdownGracefully { _ in }
      throw FileError("listen on", path: "port \(port) of \(address)", reason: "\(error)")
    }
    self.port = channel.localAddress?.port ?? port
  }

  /// Notes how far a split is.
  package func note(_ progress: LaionProgress) { board.note(progress) }

  /// Stops listening.
  package func shutDown() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}

/// The latest progress of each split.
private final class Board: @unchecked Sendable {
  // Sendable: `splits` is only touched under `lock`.
  private let lock = NSLock()
  private var splits: [Int: LaionProgress] = [:]

  func note(_ progress: LaionProgress) { lock.withLock { splits[progress.split] = progress } }

  var text: String {
    PrometheusText.text(lock.withLock { splits.values.sorted { $0.split < $1.split } })
  }
}

private final class Responder: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let board: Board
  private var isFound = false

  init(board: Board) { self.board = board }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): isFound = head.uri == "/metrics"
    case .body: break
    case .end:
      let body = ByteBuffer(string: isFound ? board.text : "see /metrics\n")
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
