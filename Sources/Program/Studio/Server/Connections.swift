import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The requests in progress of each connection, which end with it.
final class Connections: Sendable {
  private struct State {
    var nextID = 0
    var cancels: [ObjectIdentifier: [Int: @Sendable () -> Void]] = [:]
  }

  private let state = Mutex(State())

  /// Does something as long as a connection is open; cancels it when the client goes.
  func whileOpen<Value: Sendable>(
    _ channel: any Channel,
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let key = ObjectIdentifier(channel)
    let id = state.withLock { state in
      state.nextID += 1
      state.cancels[key, default: [:]][state.nextID] = { task.cancel() }
      return state.nextID
    }
    defer {
      state.withLock { state in
        state.cancels[key]?[id] = nil
        if state.cancels[key]?.isEmpty == true { state.cancels[key] = nil }
      }
    }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// The number of requests in progress.
  var count: Int { state.withLock { $0.cancels.values.reduce(0) { $0 + $1.count } } }

  /// Cancels the requests of a connection.
  fileprivate func close(_ channel: any Channel) {
    let cancels = state.withLock { $0.cancels.removeValue(forKey: ObjectIdentifier(channel)) }
    for cancel in (cancels ?? [:]).values { cancel() }
  }
}

/// Closes connections that send no request in time, do not read their answer, or have ended.
final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let connections: Connections
  private let requestDeadline: TimeAmount
  private let readDeadline: TimeAmount
  private var request: Scheduled<Void>?
  private var reading: Scheduled<Void>?

  /// - Parameters:
  ///   - connections: Is told when the client has gone.
  ///   - requestDeadline: The time to send the head of a request, from the connection's start or from the
  ///     last answer.
  ///   - readDeadline: The time in which a client reads something of an answer that waits.
  init(_ connections: Connections, requestDeadline: TimeAmount, readDeadline: TimeAmount) {
    self.connections = connections
    self.requestDeadline = requestDeadline
    self.readDeadline = readDeadline
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { awaitRequest(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    awaitRequest(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(context)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head = unwrapInboundIn(data) { request?.cancel() }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { awaitRequest(context) }
    context.write(data, promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    reading?.cancel()
    reading = context.channel.isWritable ? nil : closing(context, in: readDeadline)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client that sends no more is taken for one that has gone: nothing is painted for it.
    if let event = event as? ChannelEvent, event == .inputClosed {
      end(context)
      context.close(promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func awaitRequest(_ context: ChannelHandlerContext) {
    request?.cancel()
    request = closing(context, in: requestDeadline)
  }

  private func closing(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }

  private func end(_ context: ChannelHandlerContext) {
    request?.cancel()
    reading?.cancel()
    connections.close(context.channel)
  }
}
