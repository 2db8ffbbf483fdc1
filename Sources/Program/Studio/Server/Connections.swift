import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections: the running requests of each, which are cancelled with it, and the idle ones.
///
/// Above the limit the longest idle connection is closed, so a thousand silent connections lock nobody
/// out. Each has a grace period for its first request, because connections may be registered in another
/// order than they were accepted in.
final class Connections: Sendable {
  private struct State {
    var nextID = 0
    var cancels: [ObjectIdentifier: [Int: @Sendable () -> Void]] = [:]
    var open: Set<ObjectIdentifier> = []
    var idle: [ObjectIdentifier: (since: NIODeadline, channel: any Channel)] = [:]
    var limit = Int.max
    var listeners = 0
  }

  private let state = Mutex(State())
  /// The most concurrent listeners to events.
  private static let mostListeners = 32
  /// The grace period in which an idle connection is not closed.
  private static let grace = TimeAmount.milliseconds(250)

  /// Sets the limit of open connections.
  func limit(to count: Int) { state.withLock { $0.limit = count } }

  /// Adds a listener to events; `false` at the limit.
  func addListener() -> Bool {
    state.withLock { state in
      guard state.listeners < Self.mostListeners else { return false }
      state.listeners += 1
      return true
    }
  }

  /// Removes a listener.
  func removeListener() { state.withLock { $0.listeners -= 1 } }

  /// Marks a connection as idle; above the limit, idle connections are closed.
  fileprivate func isIdle(_ channel: any Channel) {
    let tooMany = state.withLock { state in
      let key = ObjectIdentifier(channel)
      state.open.insert(key)
      state.idle[key] = (.now(), channel)
      return state.open.count > state.limit
    }
    guard tooMany else { return }
    makeRoom()
    channel.eventLoop.scheduleTask(in: Self.grace) { self.makeRoom() }
  }

  /// Closes the longest idle connections until the limit holds.
  private func makeRoom() {
    let latest = NIODeadline.now() - Self.grace
    let surplus: [any Channel] = state.withLock { state in
      let idle = state.idle.filter { $0.value.since <= latest }
        .sorted { $0.value.since < $1.value.since }
        .prefix(max(0, state.open.count - state.limit))
      for (key, _) in idle {
        state.open.remove(key)
        state.idle[key] = nil
      }
      return idle.map(\.value.channel)
    }
    for channel in surplus { channel.close(promise: nil) }
  }

  /// Marks a connection as busy.
  fileprivate func isAtWork(_ channel: any Channel) {
    state.withLock { $0.idle[ObjectIdentifier(channel)] = nil }
  }

  /// Runs a body while a connection is open; cancels it when the client disconnects.
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

  /// The number of running requests.
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

/// Closes connections that miss the deadline of a request or of reading, or that the client closed.
final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let connections: Connections
  private let requestDeadline: TimeAmount
  private let readDeadline: TimeAmount
  /// The requests whose answers have not been sent yet.
  private var unanswered = 0
  private var request: Scheduled<Void>?
  private var reading: Scheduled<Void>?

  /// - Parameters:
  ///   - connections: Notified when the client disconnects.
  ///   - requestDeadline: The time limit of a request's head, from the connection's start or from the last
  ///     answer.
  ///   - readDeadline: The time limit of a client's read from a pending answer.
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
      unanswered += 1
      request?.cancel()
      connections.isAtWork(context.channel)
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    // Idle only after the answer was sent: closing an idle connection must not truncate it.
    let sent = promise ?? context.eventLoop.makePromise()
    sent.futureResult.assumeIsolated()
      .whenComplete { _ in
        self.unanswered -= 1
        if self.unanswered == 0, context.channel.isActive { self.awaitRequest(context) }
      }
    context.write(data, promise: sent)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    reading?.cancel()
    reading = context.channel.isWritable ? nil : closing(context, in: readDeadline)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A half-closed connection counts as closed; its requests are cancelled.
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
