import Glibc

/// Who this process is among those that train together, and where they meet.
public struct Rendezvous: Equatable, Sendable {
  /// This process among all, from 0 on.
  public let rank: Int
  /// Number of processes.
  public let count: Int
  /// This process among those of its machine: the device it takes.
  public let localRank: Int
  /// The machine of rank 0.
  public let host: String
  /// The port on which rank 0 listens.
  public let port: UInt16

  /// A process among others.
  public init(rank: Int, count: Int, localRank: Int? = nil, host: String, port: UInt16) {
    precondition(count > 0 && (0..<count).contains(rank), "rank \(rank) of \(count)")
    self.rank = rank
    self.count = count
    self.localRank = localRank ?? rank
    self.host = host
    self.port = port
  }

  /// What the starter of this process says in its environment.
  ///
  /// Understood are torchrun's variables (RANK, WORLD_SIZE, LOCAL_RANK), Slurm's (SLURM_PROCID, …) and
  /// Open MPI's (OMPI_COMM_WORLD_RANK, …), the first that is there; MASTER_ADDR and MASTER_PORT say
  /// where to meet. It is `nil` for a process that stands alone, as a batch script of Slurm, which
  /// starts others by srun.
  ///
  /// - Parameter environment: The process's environment.
  /// - Throws: `TorchError` naming the variable that makes no sense or is missing.
  public init?(environment: [String: String]) throws(TorchError) {
    guard let started = try Self.started(environment), started.count > 1 else { return nil }
    let port = try Self.number("MASTER_PORT", environment) ?? 29_500
    guard (1...65_535).contains(port) else {
      throw TorchError("MASTER_PORT=\(port) in the environment is no port")
    }
    guard let host = environment["MASTER_ADDR"] ?? Self.firstNode(environment) else {
      throw TorchError("MASTER_ADDR is missing: the machine of rank 0")
    }
    self.init(
      rank: started.rank,
      count: started.count,
      localRank: started.localRank ?? started.rank,
      host: host,
      port: UInt16(port)
    )
  }

  /// How many processes were started of which this is one.
  ///
  /// - Parameter environment: The process's environment.
  /// - Returns: What their starter says; `nil` if nothing says that it has started this one.
  /// - Throws: `TorchError` naming the variable that makes no sense.
  public static func count(environment: [String: String]) throws(TorchError) -> Int? {
    try started(environment)?.count
  }

  private static func started(
    _ environment: [String: String]
  ) throws(TorchError) -> (rank: Int, count: Int, localRank: Int?)? {
    let starters = [
      ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
      ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
    ]
    for (rankName, countName, localName) in starters {
      guard let rank = try number(rankName, environment),
        let count = try number(countName, environment)
      else { continue }
      guard count <= mostProcesses else {
        throw TorchError(
          "\(countName)=\(count) is more than the \(mostProcesses) processes that can meet"
        )
      }
      guard rank < count else {
        throw TorchError("\(rankName)=\(rank) must be below \(countName)=\(count)")
      }
      return (rank, count, try number(localName, environment))
    }
    return nil
  }

  private static func number(
    _ name: String,
    _ environment: [String: String]
  ) throws(TorchError) -> Int? {
    guard let text = environment[name] else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw TorchError("\(name)=\(text) in the environment is no number")
    }
    return value
  }

  /// The machine of rank 0 where MASTER_ADDR is not set: this one, if all processes are on it, else
  /// the first of Slurm's list, as `node[07-09,12]`, `rack[0-1]node[0-3]` or `alpha,beta`.
  private static func firstNode(_ environment: [String: String]) -> String? {
    let onOneMachine = [
      ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"),
      ("SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE"),
      ("WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    ].contains { all, here in
      environment[all] != nil && environment[all] == environment[here]
    }
    if onOneMachine { return "127.0.0.1" }
    guard let list = environment["SLURM_STEP_NODELIST"] ?? environment["SLURM_NODELIST"],
      !list.isEmpty
    else { return nil }
    return firstName(of: list)
  }

  /// The first name of a list of Slurm's: of each group in brackets its first number, up to a comma
  /// outside of them.
  private static func firstName(of list: String) -> String {
    var name = ""
    var rest = list[...]
    while let next = rest.first, next != "," {
      guard next == "[" else {
        name.append(rest.removeFirst())
        continue
      }
      let group = rest.dropFirst().prefix { $0 != "]" }
      name += group.prefix { $0 != "-" && $0 != "," }
      rest = rest[group.endIndex...].dropFirst()
    }
    return name
  }
}

extension Rendezvous {
  /// Far more than machines have, and few enough for every counter.
  private static let mostProcesses = 65_536

  /// A port of this machine that nobody listens on now, for processes that all run here.
  ///
  /// - Throws: `TorchError` if there is none.
  public static func freePort() throws(TorchError) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else {
      throw TorchError("this machine has no free port for the processes to meet at")
    }
    return UInt16(bigEndian: address.sin_port)
  }
}
