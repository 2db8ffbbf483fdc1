import NIOPosix

/// Remembers the addresses of hosts, and lets all rows that wait for a name share one answer.
///
/// Every address is checked after resolution, because a public name may well point to a private
/// address. A host whose name servers are silent costs the first rows that ask the whole time-out,
/// and all later ones nothing: they fail at once while it is asked again behind them.
actor HostResolver {
  /// Asks for the addresses of a name.
  typealias LookUp = @Sendable (String) async -> Result<[IPAddress], FetchCause>
  typealias Answer = Result<[IPAddress], FetchCause>

  private let policy: AddressPolicy
  private let lookUp: LookUp
  private var hosts: [String: State] = [:]

  private enum State {
    case asking(waiting: [CheckedContinuation<Answer, Never>], wasSilent: Bool)
    case known(Answer, until: ContinuousClock.Instant)
  }

  // How long an answer holds; getaddrinfo does not tell the record's own time.
  private static let lifetime = Duration.seconds(600)
  // How long no answer holds.
  private static let silence = Duration.seconds(10)
  private static let maximumHosts = 100_000

  /// - Parameters:
  ///   - policy: Which addresses are allowed.
  ///   - lookUp: Asks the name servers, and gives up in time with `.resolverFailed`.
  init(policy: AddressPolicy, lookUp: @escaping LookUp) {
    self.policy = policy
    self.lookUp = lookUp
  }

  /// The addresses to connect to, in the order in which they are tried.
  ///
  /// - Parameters:
  ///   - host: The name, or an address as a literal.
  ///   - insists: Ask again and wait, even if the name servers were silent before: for another
  ///     attempt.
  /// - Returns: At least one address, or why there is none.
  func resolve(_ host: String, insists: Bool = false) async -> Answer {
    let silent = Answer.failure(.resolverFailed)
    switch hosts[host] {
    case .asking(_, let wasSilent): if wasSilent, !insists { return silent }
    case .known(let answer, let until) where until > .now && !(insists && answer == silent):
      return answer
    case .known(silent, _):
      ask(host, wasSilent: true)
      if !insists { return silent }
    case .known, nil: ask(host, wasSilent: false)
    }
    return await withCheckedContinuation { continuation in
      guard case .asking(let waiting, let wasSilent) = hosts[host] else {
        return continuation.resume(returning: silent)
      }
      hosts[host] = .asking(waiting: waiting + [continuation], wasSilent: wasSilent)
    }
  }

  /// Asks in a task of its own, which goes on when the row that began it is cancelled.
  private func ask(_ host: String, wasSilent: Bool) {
    makeRoom()
    hosts[host] = .asking(waiting: [], wasSilent: wasSilent)
    Task { note(await lookUp(host).flatMap { policy.permitted($0) }, of: host) }
  }

  /// Keeps an answer, and hands it to those who wait in the order in which they came: a task's own
  /// `value` would hand it to the last one first, and its row would be requested first.
  private func note(_ answer: Answer, of host: String) {
    guard case .asking(let waiting, _) = hosts[host] else { return }
    let lifetime = answer == .failure(.resolverFailed) ? Self.silence : Self.lifetime
    hosts[host] = .known(answer, until: .now + lifetime)
    for continuation in waiting { continuation.resume(returning: answer) }
  }

  private func makeRoom() {
    if hosts.count < Self.maximumHosts { return }
    let now = ContinuousClock.now
    hosts = hosts.filter { if case .known(_, let until) = $0.value { until > now } else { true } }
    if hosts.count < Self.maximumHosts { return }
    hosts = hosts.filter { if case .asking = $0.value { true } else { false } }
  }
}

extension FetchCause: Error {}
