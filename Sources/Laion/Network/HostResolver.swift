import Foundation
import NIOPosix

/// Resolves host names on threads of its own and remembers the answers.
///
/// The HTTP client's resolver asks for one name at a time per event loop; with many hosts that
/// takes longer than the requests. Here as many names are resolved at once as there are threads.
/// Every address is checked after resolution, because a public name may well point to a private
/// address.
actor HostResolver {
  private let pool: NIOThreadPool
  private let timeout: Duration
  private let policy: AddressPolicy
  private var answers: [String: Answer] = [:]

  private struct Answer {
    let task: Task<Result<IPAddress, FetchCause>, Never>
    let until: ContinuousClock.Instant
  }

  // Seconds for which an answer holds; getaddrinfo does not tell the record's own.
  private static let lifetime = Duration.seconds(600)
  private static let maximumAnswers = 100_000

  init(threads: Int, timeout: Duration, policy: AddressPolicy) {
    pool = NIOThreadPool(numberOfThreads: threads)
    pool.start()
    self.timeout = timeout
    self.policy = policy
  }

  /// The address to connect to: the first allowed one, IPv4 before IPv6.
  func resolve(_ host: String) async -> Result<IPAddress, FetchCause> {
    let now = ContinuousClock.now
    if let answer = answers[host], answer.until > now { return await answer.task.value }
    if answers.count >= Self.maximumAnswers { answers = answers.filter { $0.value.until > now } }
    if answers.count >= Self.maximumAnswers { answers = [:] }
    // A task of its own, so that all rows that wait for a name share one answer, also when the
    // first of them is cancelled.
    let task = Task { [pool, timeout, policy] in
      await Self.lookUp(host, on: pool, within: timeout).flatMap { policy.choose($0) }
    }
    answers[host] = Answer(task: task, until: now + Self.lifetime)
    let answer = await task.value
    // No answer is not an answer: another attempt asks again.
    if answer == .failure(.resolverFailed) { answers[host] = nil }
    return answer
  }

  func shutDown() async {
    // A lookup that hangs keeps its thread for as long as the system lets it; the threads that are
    // left behind end with the process.
    pool.shutdownGracefully { _ in }
  }

  /// Asks the system on a thread of `pool`; the time in which it must answer begins when it is asked.
  private static func lookUp(
    _ host: String,
    on pool: NIOThreadPool,
    within timeout: Duration
  ) async -> Result<[IPAddress], FetchCause> {
    if let literal = IPAddress(host) { return .success([literal]) }
    return await withCheckedContinuation { continuation in
      let answer = FirstAnswer(continuation)
      pool.submit { state in
        guard state == .active else { return answer.give(.failure(.resolverFailed)) }
        let timer = Task {
          try await Task.sleep(for: timeout)
          answer.give(.failure(.resolverFailed))
        }
        answer.give(addresses(host))
        timer.cancel()
      }
    }
  }

  /// Asks the system; blocks for as long as the system's resolver is configured to try.
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

/// Resumes whoever waits with the first of several answers.
private final class FirstAnswer: @unchecked Sendable {
  // Sendable: `continuation` is only touched under `lock`.
  typealias Value = Result<[IPAddress], FetchCause>

  private let lock = NSLock()
  private var continuation: CheckedContinuation<Value, Never>?

  init(_ continuation: CheckedContinuation<Value, Never>) {
    self.continuation = continuation
  }

  func give(_ value: Value) {
    lock.withLock {
      continuation?.resume(returning: value)
      continuation = nil
    }
  }
}

extension FetchCause: Error {}
