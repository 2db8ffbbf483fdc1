package import NIOCore
package import NIOHTTP1

/// Lets only well-formed responses through to the HTTP client: one final head, its body, its end.
///
/// The client's state machines treat an impossible sequence as a bug of their own and trap, and a server
/// decides what the sequence is: the client takes every status below 200 but 101 for informational, with
/// the final response to follow, while the parser ends a response with the status 99 like any other. So
/// this filter stands between the two. It drops informational responses, and turns every other violation
/// into an error of the one request.
package final class ResponseGuard: ChannelInboundHandler, RemovableChannelHandler {
  package typealias InboundIn = HTTPClientResponsePart
  package typealias InboundOut = HTTPClientResponsePart

  /// A violation of HTTP by a server.
  package enum Violation: Error, Equatable, CustomStringConvertible {
    /// A status below 100, or above 999.
    case status(Int)
    /// A body or an end without a head, or a second head.
    case sequence

    package var description: String {
      switch self {
      case .status(let status): "it answers with the status \(status), which is none"
      case .sequence: "its answer has no head, or two"
      }
    }
  }

  private enum Expected {
    case head
    case bodyOrEnd
    /// Nothing more is let through after a violation.
    case nothing
  }

  private var expected = Expected.head

  package init() {}

  /// Puts a guard behind the parser of a connection.
  ///
  /// For `HTTPClient.Configuration.http1_1ConnectionDebugInitializer`: the client calls it when its own
  /// handlers are in place and nothing was sent yet.
  ///
  /// - Returns: Fails when the connection has no parser, which fails the request.
  package static func install(on channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
      try pipeline.addHandler(ResponseGuard(), position: .after(parser))
    }
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), expected) {
    case (_, .nothing): return
    case (.head(let head), .head):
      let status = Int(head.status.code)
      switch status {
      // Informational; they may go on until the request's deadline.
      case 100, 102..<200: return
      // The client closes the connection after a 101, which was not requested.
      case 101, 200...999: expected = .bodyOrEnd
      default: return fail(.status(status), context)
      }
    case (.body, .bodyOrEnd): break
    case (.end, .bodyOrEnd): expected = .head
    default: return fail(.sequence, context)
    }
    context.fireChannelRead(data)
  }

  private func fail(_ violation: Violation, _ context: ChannelHandlerContext) {
    expected = .nothing
    context.fireErrorCaught(violation)
    context.close(promise: nil)
  }
}
