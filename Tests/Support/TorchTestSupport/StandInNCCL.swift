import Foundation
import TestSupport

/// A library with NCCL's interface over host memory: NCCL itself wants a GPU.
package enum StandInNCCL {
  /// Its file, made by the compiler that comes with Swift when it is first asked for.
  package static let library = Result {
    let source = folder + "/stand-in.c"
    let target = try place.get().file("nccl-stand-in.so")
    guard try compile(["clang", "-O2", "-shared", "-fPIC", "-o", target, source, "-lrt"]) else {
      throw CocoaError(.executableLoad, userInfo: [NSFilePathErrorKey: source])
    }
    // What is static is never freed.
    atexit { if let place = try? StandInNCCL.place.get() { place.remove() } }
    return target
  }

  private static let place = Result { try TemporaryFolder() }
}

/// NVIDIA's own NCCL, as it comes with libtorch's CUDA builds.
///
/// Without a GPU it makes ids and refuses to meet.
package enum RealNCCL {
  /// Its library; `nil` where it is not installed.
  package static let library = root.map { $0 + "/lib/libnccl.so.2" }

  /// Whether its header declares what nifty calls, with the same numbers for types and operations.
  package static func hasOurInterface() throws -> Bool {
    guard let root else { return false }
    let include = ["-I", folder + "/without-cuda", "-isystem", root + "/include"]
    let ours = ["-I", Repository.path("Sources/C/CTorch"), folder + "/interface.cpp"]
    return try compile(["clang++", "-std=c++20", "-fsyntax-only"] + include + ours)
  }

  private static let root: String? = {
    let libraries = Repository.path(".deps/venv/lib")
    let pythons = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
    return pythons.map { "\(libraries)/\($0)/site-packages/nvidia/nccl" }
      .first { FileManager.default.fileExists(atPath: $0 + "/lib/libnccl.so.2") }
  }()
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
