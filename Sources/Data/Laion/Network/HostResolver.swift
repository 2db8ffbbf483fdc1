import NIOPosix
import Web

/// A DNS cache; all rows that wait for a name share one lookup.
///
/// Every address is checked after the lookup, because a public name may well point to a private
/// address. If the name servers do not answer, the first rows wait for the whole timeout; later ones fail
/// at once, while the lookup is retried in the background.
actor HostResolver {
  /// Looks up the addresses of a name.
  typealias LookUp = @Sendable (String) async -> Result<[IPAddress], FetchCause>
  typealias Answer = Result<[IPAddress], FetchCause>

  private let policy: AddressPolicy
  private let lookUp: LookUp
  private var hosts: [String: State] = [:]

  private enum State {
    case lookingUp(waiting: [CheckedContinuation<Answer, Never>], wasSilent: Bool)
    case known(Answer, until: ContinuousClock.Instant)
  }

  // The time to live of an answer; getaddrinfo does not give the record's own.
  private static let lifetime = Duration.seconds(600)
  // The same where the name servers did not answer.
  private static let failureLifetime = Duration.seconds(10)
  private static let maximumHosts = 100_000

  /// - Parameters:
  ///   - policy: Which addresses are allowed.
  ///   - lookUp: Asks the name servers, with a timeout of its own, which is `.resolverFailed`.
  init(policy: AddressPolicy, lookUp: @escaping LookUp) {
    self.policy = policy
    self.lookUp = lookUp
  }

  /// The addresses to connect to, in the order in which they are tried.
  ///
  /// - Parameters:
  ///   - host: The name, or an address as a literal.
  ///   - insists: Whether to wait for a new lookup if the name servers did not answer before, as a
  ///     retry does.
  /// - Returns: At least one address, or why there is none.
  func resolve(_ host: String, insists: Bool = false) async -> Answer {
    let silent = Answer.failure(.resolverFailed)
    switch hosts[host] {
    case .lookingUp(_, let wasSilent): if wasSilent, !insists { return silent }
    case .known(let answer, let until) where until > .now && !(insists && answer == silent):
      return answer
    case .known(silent, _):
      startLookUp(host, wasSilent: true)
      if !insists { return silent }
    case .known, nil: startLookUp(host, wasSilent: false)
    }
    return await withCheckedContinuation { continuation in
      guard case .lookingUp(let waiting, let wasSilent) = hosts[host] else {
        return continuation.resume(returning: silent)
      }
      hosts[host] = .lookingUp(waiting: waiting + [continuation], wasSilent: wasSilent)
    }
  }

  /// Looks the name up in a task of its own, which goes on when the row that started it is cancelled.
  private func startLookUp(_ host: String, wasSilent: Bool) {
    makeRoom()
    hosts[host] = .lookingUp(waiting: [], wasSilent: wasSilent)
    Task { note(await lookUp(host).flatMap { policy.permitted($0) }, of: host) }
  }

  /// Caches an answer and resumes the waiting rows first come, first served: a task's own `value` would
  /// resume the last one first, and its row would be requested first.
  private func note(_ answer: Answer, of host: String) {
    guard case .lookingUp(let waiting, _) = hosts[host] else { return }
    let lifetime = answer == .failure(.resolverFailed) ? Self.failureLifetime : Self.lifetime
    hosts[host] = .known(answer, until: .now + lifetime)
    for continuation in waiting { continuation.resume(returning: answer) }
  }

  private func makeRoom() {
    if hosts.count < Self.maximumHosts { return }
    let now = ContinuousClock.now
    hosts = hosts.filter { if case .known(_, let until) = $0.value { until > now } else { true } }
    if hosts.count < Self.maximumHosts { return }
    hosts = hosts.filter { if case .lookingUp = $0.value { true } else { false } }
  }
}
