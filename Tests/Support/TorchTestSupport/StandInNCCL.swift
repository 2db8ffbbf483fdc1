import Foundation
import TestSupport

/// A library with NCCL's interface over host memory: NCCL itself wants a GPU.
package enum StandInNCCL {
  /// Its file, made by the compiler that comes with Swift when it is first asked for.
  package static let library = Result {
    let source = folder + "/stand-in.c"
    let target = try temporary.get().file("nccl-stand-in.so")
    guard try compile(["clang", "-O2", "-shared", "-fPIC", "-o", target, source, "-lrt"]) else {
      throw CocoaError(.executableLoad, userInfo: [NSFilePathErrorKey: source])
    }
    // What is static is never freed.
    atexit { if let made = try? temporary.get() { made.remove() } }
    return target
  }

  private static let temporary = Result { try TemporaryFolder() }
}

/// NVIDIA's own NCCL, as it comes with libtorch's CUDA builds.
///
/// Without a GPU it makes ids and refuses to meet.
package enum RealNCCL {
  /// Its library; `nil` where it is not installed.
  package static let library = Repository.installed("nvidia/nccl/lib/libnccl.so.2")

  /// Whether its header declares what nifty calls, with the same numbers for types and operations.
  package static func hasOurInterface() throws -> Bool {
    guard let header = Repository.installed("nvidia/nccl/include/nccl.h") else { return false }
    let headers = URL(filePath: header).deletingLastPathComponent().path
    let include = ["-I", folder + "/without-cuda", "-isystem", headers]
    let ours = ["-I", Repository.path("Sources/C/CTorch"), folder + "/interface.cpp"]
    return try compile(["clang++", "-std=c++20", "-fsyntax-only"] + include + ours)
  }
}

/// The folder of the sources in C.
private let folder =
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "NCCL").path

private func compile(_ command: [String]) throws -> Bool {
  let compiler = Process()
  compiler.executableURL = URL(filePath: "/usr/bin/env")
  compiler.arguments = command
  try compiler.run()
  compiler.waitUntilExit()
  return compiler.terminationStatus == 0
}
