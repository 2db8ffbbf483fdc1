import Console
import Foundation
import Synchronization
import Threads
import Torch
import Training

/// The processes of a run on this machine, started by one command.
///
/// Each is this program with the same arguments and torchrun's variables. They decide among
/// themselves when to stop; this process forwards signals, names the ranks that died, and ends the remaining ones.
enum LocalRanks {
  private static let launcherVariable = "NIFTY_LAUNCHER"
  /// How long others may go on after one has failed, in seconds: they notice by themselves.
  private static let grace = 15.0

  /// Starts the processes and waits for all of them.
  ///
  /// - Parameter count: Number of processes.
  /// - Returns: The exit status of the first that failed, else 0.
  /// - Throws: `TrainingError.stopped` if a process cannot be started.
  static func run(_ count: Int) throws -> Int32 {
    let port = try Rendezvous.freePort()
    let children = try (0..<count).map { rank in
      try start([
        "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "LOCAL_RANK": "\(rank)",
        "LOCAL_WORLD_SIZE": "\(count)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        launcherVariable: "\(getpid())",
      ])
    }
    let running = RunningProcesses(children)
    let forwarding = SignalForwarding(running)
    defer { forwarding.stop() }
    var status: Int32 = 0
    var deadline: Date?
    var isForced = false
    var isContinuable = false
    while true {
      for (rank, ending) in running.takeEnded() {
        if let signal = ending.signal {
          // After the grace time it is this process that kills.
          let advice = isForced ? nil : "lower --batch or --batch-gpu, or take fewer --gpus"
          Console.error("nifty: rank \(rank) \(ended(by: signal, advice: advice))")
        }
        guard ending.status != 0, !isForced else { continue }
        // Once rank 0 has its checkpoint and leaves, the others may only see that it is gone.
        isContinuable = isContinuable || (rank == 0 && ending.status == exitStatusOfInterruption)
        if status == 0 || status == exitStatusOfInterruption { status = ending.status }
        deadline = deadline ?? Date().addingTimeInterval(grace)
      }
      let left = running.left
      if left.isEmpty { break }
      if let deadline, Date() > deadline {
        isForced = true
        running.signal(SIGKILL)
        // A process that waits in the kernel for a file system or a driver cannot be ended.
        if Date() > deadline.addingTimeInterval(grace) {
          for (rank, child) in left {
            Console.error("nifty: rank \(rank), process \(child), hangs and cannot be killed")
          }
          break
        }
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return isContinuable ? exitStatusOfInterruption : status
  }

  /// Asks this process to stop when the one that started it is gone.
  static func endWithLauncher() {
    guard let text = ProcessInfo.processInfo.environment[launcherVariable],
      let launcher = pid_t(text)
    else { return }
    WorkerThread.startOrExit {
      while getppid() == launcher { Thread.sleep(forTimeInterval: 0.5) }
      kill(getpid(), SIGTERM)
    }
  }

  /// Starts this program as a rank, in a process group of its own: a terminal's Ctrl-C reaches it once,
  /// through this process.
  private static func start(_ variables: [String: String]) throws -> pid_t {
    let environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    let program = "/proc/self/exe"
    let arguments = Swift.CommandLine.arguments.map { strdup($0) } + [nil]
    let values = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + values { free(text) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, program, nil, &attributes, arguments, values)
    guard code == 0 else {
      throw TrainingError.stopped(
        "cannot start a process of the run: \(String(cString: strerror(code)))"
      )
    }
    return child
  }
}

/// The processes that were started and not waited for yet.
///
/// Once a process was waited for, the system may give its number to another one. So both that and
/// sending signals happen under one lock.
private final class RunningProcesses: Sendable {
  typealias Ending = (status: Int32, signal: Int32?)

  private let processes: Mutex<[Int: pid_t]>

  /// Processes, in the order of their ranks.
  init(_ children: [pid_t]) {
    processes = Mutex(Dictionary(uniqueKeysWithValues: children.enumerated().map { ($0, $1) }))
  }

  /// The processes that still run, by rank.
  var left: [(rank: Int, process: pid_t)] {
    processes.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
  }

  /// How processes ended that ended since the last call, by rank.
  func takeEnded() -> [(rank: Int, ending: Ending)] {
    processes.withLock { processes in
      var ended: [(rank: Int, ending: Ending)] = []
      for (rank, child) in processes.sorted(by: { $0.key < $1.key }) {
        guard let ending = Self.ending(of: child) else { continue }
        processes[rank] = nil
        ended.append((rank, ending))
      }
      return ended
    }
  }

  /// Sends a signal to all that still run.
  func signal(_ number: Int32) {
    processes.withLock { for child in $0.values { kill(child, number) } }
  }

  private static func ending(of child: pid_t) -> Ending? {
    var status: Int32 = 0
    let found = waitpid(child, &status, WNOHANG)
    if found == 0 || (found < 0 && errno == EINTR) { return nil }
    if found < 0 { return (EXIT_FAILURE, nil) }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8 & 0xff, nil) : (128 + signal, signal)
  }
}

/// Passes SIGINT, SIGTERM and SIGHUP on to the processes of a run.
private final class SignalForwarding {
  private let sources: [any DispatchSourceSignal]

  init(_ processes: RunningProcesses) {
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        processes.signal(number == SIGHUP ? SIGTERM : number)
      }
      source.resume()
      return source
    }
  }

  func stop() { for source in sources { source.cancel() } }
}
