import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections: the requests in progress of each, which end with it, and which of them are idle.
///
/// Where there are too many, the one that has been idle longest makes room: a thousand that say nothing
/// keep nobody out.
final class Connections: Sendable {
  private struct State {
    var nextID = 0
    var cancels: [ObjectIdentifier: [Int: @Sendable () -> Void]] = [:]
    var open: Set<ObjectIdentifier> = []
    /// Since when: a number that grows.
    var idle: [ObjectIdentifier: (since: Int, channel: any Channel)] = [:]
    var limit = Int.max
    var listeners = 0
  }

  private let state = Mutex(State())
  /// The most pages that listen to events at a time.
  private static let mostListeners = 32

  /// Sets the most open connections.
  func limit(to count: Int) { state.withLock { $0.limit = count } }

  /// Takes a listener to events in; `false` if there are too many.
  func addListener() -> Bool {
    state.withLock { state in
      guard state.listeners < Self.mostListeners else { return false }
      state.listeners += 1
      return true
    }
  }

  /// A listener has gone.
  func removeListener() { state.withLock { $0.listeners -= 1 } }

  /// Notes a connection that waits for a request; where there are too many, another one is closed, or
  /// this one if all others are at work.
  fileprivate func isIdle(_ channel: any Channel) {
    let surplus: (any Channel)? = state.withLock { state in
      let key = ObjectIdentifier(channel)
      state.nextID += 1
      state.open.insert(key)
      state.idle[key] = (state.nextID, channel)
      guard state.open.count > state.limit,
        let oldest = state.idle.min(by: { $0.value.since < $1.value.since })
      else { return nil }
      state.open.remove(oldest.key)
      return state.idle.removeValue(forKey: oldest.key)?.channel
    }
    surplus?.close(promise: nil)
  }

  /// Notes that a connection has sent a request.
  fileprivate func isAtWork(_ channel: any Channel) {
    state.withLock { $0.idle[ObjectIdentifier(channel)] = nil }
  }

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
    let cancels = state.withLock { state in
      state.open.remove(ObjectIdentifier(channel))
      state.idle[ObjectIdentifier(channel)] = nil
      return state.cancels.removeValue(forKey: ObjectIdentifier(channel))
    }
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
    if case .head = unwrapInboundIn(data) {
      request?.cancel()
      connections.isAtWork(context.channel)
    }
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
    connections.isIdle(context.channel)
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
