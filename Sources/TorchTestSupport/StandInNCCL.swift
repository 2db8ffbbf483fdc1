import Foundation

/// A library with NCCL's interface over host memory: NCCL itself wants a GPU.
package enum StandInNCCL {
  /// Its file, made by the compiler that comes with Swift when it is first asked for.
  package static let library = Result {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "NCCL/stand-in.c").path
    let compiler = Process()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments = ["clang", "-O2", "-shared", "-fPIC", "-o", target, source, "-lrt"]
    try compiler.run()
    compiler.waitUntilExit()
    guard compiler.terminationStatus == 0 else {
      throw CocoaError(.executableLoad, userInfo: [NSFilePathErrorKey: source])
    }
    atexit { unlink(StandInNCCL.target) }
    return target
  }

  private static let target = FileManager.default.temporaryDirectory
    .appending(path: "nccl-stand-in-\(getpid()).so").path
}
