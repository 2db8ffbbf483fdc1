import Foundation

/// `nifty-compute`, which has all verbs and libtorch: beside this program, from the same build.
struct ComputeProgram {
  private let path: String

  init() {
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = own.map { URL(filePath: $0).deletingLastPathComponent().path } ?? "."
    path = folder + "/nifty-compute"
  }

  /// Runs it in this process's place, with this process's words, signals and files.
  ///
  /// Returns only if that fails; `errno` says why.
  func replaceThisProcess() {
    execv(path, Swift.CommandLine.unsafeArgv)
  }

  /// Why a verb cannot run, in one line, right after `replaceThisProcess` came back.
  func failure(of verb: String) -> String {
    let reason =
      errno == ENOENT ? "is missing" : "does not start (\(String(cString: strerror(errno))))"
    return "\(verb) is a verb of nifty-compute, but \(path) \(reason); "
      + "build both with: swift build -c release"
  }
}
