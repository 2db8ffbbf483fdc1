import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOHTTP1
import Synchronization
import Text
import Web

/// A web hook: posts events as JSON objects to an address, in order, in the background.
///
/// Callers never wait for the network, except in `finish`. Only the first failure is reported, in one line.
package final class WebHook: Sendable {
  private struct State {
    var last: Task<Void, Never>?
    var waiting = 0
    var hasFailed = false
  }

  private let address: String
  private let host: String
  private let deadline: Duration
  private let say: @Sendable (String) -> Void
  private let state = Mutex(State())
  /// The maximum number of queued events.
  private static let mostWaiting = 100

  /// A hook at an address; nothing is sent yet.
  ///
  /// - Parameters:
  ///   - address: An http or https address, on any port of any host.
  ///   - deadline: The timeout of one request.
  ///   - say: Receives the line of the first failure. It names only the address's host: the rest may be secret.
  /// - Throws: `DownloadError` if the address is invalid.
  package init(
    _ address: String,
    deadline: Duration = .seconds(10),
    say: @escaping @Sendable (String) -> Void
  ) throws {
    guard let url = WebURL(address, ports: .all) else {
      throw DownloadError(cause: .invalidAddress, description: WebURL.fault(address))
    }
    self.address = url.description
    host = url.hostHeader
    self.deadline = deadline
    self.say = say
  }

  /// Queues an event; returns at once.
  ///
  /// - Parameter json: A JSON object.
  package func tell(_ json: String) {
    let hasRoom = state.withLock { state in
      guard state.waiting < Self.mostWaiting else { return false }
      state.waiting += 1
      let before = state.last
      state.last = Task.detached { [self] in
        await before?.value
        await send(json)
        self.state.withLock { $0.waiting -= 1 }
      }
      return true
    }
    if !hasRoom { fail("more than \(Self.mostWaiting) events wait for it, and some are left out") }
  }

  /// Waits until the queue is empty, with a timeout.
  ///
  /// Blocks the thread, which must not be one of Swift's tasks.
  ///
  /// - Parameter limit: The timeout in seconds.
  package func finish(within limit: Int = 15) {
    guard let last = state.withLock({ $0.last }) else { return }
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
      await last.value
      isDone.signal()
    }
    if isDone.wait(timeout: .now() + .seconds(limit)) == .timedOut { fail("it does not answer") }
  }

  private func send(_ json: String) async {
    do {
      try await HTTPClient.withHTTPClient(configuration: .singleFile) { client in
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers = [
          "Content-Type": "application/json", "User-Agent": Version.userAgent,
          "Connection": "close",
        ]
        request.body = .bytes(ByteBuffer(string: json))
        let time = TimeAmount.nanoseconds(Int64(deadline / .nanoseconds(1)))
        let response = try await client.execute(request, timeout: time)
        // The body is not read.
        guard (200..<300).contains(response.status.code) else {
          return fail("it answers HTTP \(response.status.code)")
        }
      }
    } catch {
      fail("it cannot be reached")
    }
  }

  private func fail(_ reason: String) {
    let isFirst = state.withLock { state in
      defer { state.hasFailed = true }
      return !state.hasFailed
    }
    if isFirst { say("the alert to \(host) failed: \(reason); training goes on") }
  }
}
