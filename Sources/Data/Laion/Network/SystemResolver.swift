import Foundation
import NIOPosix
import Synchronization
import Web

/// DNS lookups by the system's resolver, on its own threads.
///
/// The HTTP client's resolver looks up one name at a time per event loop; with many hosts that
/// takes longer than the requests. Here each thread looks up one.
struct SystemResolver: Sendable {
  private let pool: NIOThreadPool
  private let timeout: Duration

  init(threads: Int, timeout: Duration) {
    pool = NIOThreadPool(numberOfThreads: threads)
    pool.start()
    self.timeout = timeout
  }

  func shutDown() {
    // A lookup that hangs keeps its thread for as long as the system lets it; the threads that are
    // left behind end with the process.
    pool.shutdownGracefully { _ in }
  }

  /// Looks up on a thread of the pool; the timeout begins when the thread does.
  func lookUp(_ host: String) async -> Result<[IPAddress], FetchCause> {
    if let literal = IPAddress(host) { return .success([literal]) }
    return await withCheckedContinuation { continuation in
      let answer = FirstAnswer(continuation)
      pool.submit { [timeout] state in
        guard state == .active else { return answer.give(.failure(.resolverFailed)) }
        let timer = Task {
          try await Task.sleep(for: timeout)
          answer.give(.failure(.resolverFailed))
        }
        answer.give(Self.addresses(host))
        timer.cancel()
      }
    }
  }

  /// Calls the system; blocks for as long as the system's resolver is configured to try.
  private static func addresses(_ host: String) -> Result<[IPAddress], FetchCause> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    switch getaddrinfo(host, nil, &hints, &list) {
    case 0: break
    case EAI_AGAIN, EAI_SYSTEM, EAI_MEMORY: return .failure(.resolverFailed)
    default: return .failure(.unknownHost)
    }
    defer { freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = address(entry) { addresses.append(address) }
      next = entry.ai_next
    }
    return .success(addresses)
  }

  private static func address(_ entry: addrinfo) -> IPAddress? {
    guard let socket = entry.ai_addr else { return nil }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = getnameinfo(
      socket,
      entry.ai_addrlen,
      &text,
      socklen_t(text.count),
      nil,
      0,
      NI_NUMERICHOST
    )
    guard status == 0 else { return nil }
    // A link-local address carries its interface behind a percent sign.
    let numeric = text.prefix { $0 != 0 && $0 != 0x25 }.map { UInt8(bitPattern: $0) }
    return IPAddress(String(decoding: numeric, as: UTF8.self))
  }
}

/// Resumes a continuation with the first of several answers.
private final class FirstAnswer: Sendable {
  typealias Value = Result<[IPAddress], FetchCause>

  private let continuation: Mutex<CheckedContinuation<Value, Never>?>

  init(_ continuation: CheckedContinuation<Value, Never>) {
    self.continuation = Mutex(continuation)
  }

  func give(_ value: Value) {
    continuation.withLock { waiting in
      waiting?.resume(returning: value)
      waiting = nil
    }
  }
}
