import Foundation
import Glibc

/// `nifty-compute`, which has all verbs and libtorch: beside this program, from the same build.
struct ComputeProgram {
  private let path: String

  init() {
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = own.map { URL(filePath: $0).deletingLastPathComponent().path } ?? "."
    path = folder + "/nifty-compute"
  }

  /// Replaces this process by it, with this process's words, signals and files.
  ///
  /// Returns only if that fails; `errno` says why.
  func replaceThisProcess() {
    Self.limitSpinning()
    execv(path, Swift.CommandLine.unsafeArgv)
  }

  /// Lets OpenMP's threads sleep soon where they wait for each other, unless the user has said how they wait.
  ///
  /// libgomp spins up to 300,000 times, about 14 ms: where another process has the core that one thread
  /// needs, the others waste theirs. It reads the environment when it is loaded. Measured in
  /// Documentation/PERFORMANCE.md, "Waiting threads".
  static func limitSpinning() {
    guard getenv("OMP_WAIT_POLICY") == nil else { return }
    setenv("GOMP_SPINCOUNT", "3000", 0)
  }

  /// Address space that libtorch needs to be loaded, in bytes: 0.9 GB, and something to compute in.
  static let addressSpace: rlim_t = 2 << 30

  /// Stack of the main thread, on which networks compute, in bytes; a training step ended below 512 KiB.
  static let stack: rlim_t = 1 << 20

  /// Why libtorch could not be loaded, in one line; `nil` when nothing is known to be in its way.
  ///
  /// Below this limit the loader, OpenMP or the first tensor ends the process with words that name no
  /// limit.
  static var refusal: String? {
    // MKL says then that it cannot load libtorch, and ends the process.
    if getcwd(nil, 0) == nil {
      let reason = String(cString: strerror(errno))
      return
        "there is no current folder (\(reason)): it was removed or is out of reach; change to another"
    }
    if let limit = Self.limit(RLIMIT_AS), limit < addressSpace {
      return "the limit on address space is \(limit >> 20) MiB, and libtorch needs "
        + "\(addressSpace >> 20) MiB to start; raise it (ulimit -v unlimited)"
    }
    if let limit = Self.limit(RLIMIT_STACK), limit < stack {
      return
        "the limit on the stack is \(limit >> 10) KiB, and libtorch needs \(stack >> 10) KiB to "
        + "compute; raise it (ulimit -s 8192)"
    }
    return nil
  }

  private static func limit(_ resource: __rlimit_resource) -> rlim_t? {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? limit.rlim_cur : nil
  }

  /// Why a verb cannot run, in one line, right after `replaceThisProcess` came back.
  func failure(of verb: String) -> String {
    let reason =
      errno == ENOENT ? "is missing" : "does not start (\(String(cString: strerror(errno))))"
    return "\(verb) is a verb of nifty-compute, but \(path) \(reason); "
      + "build both with: swift build -c release"
  }
}
