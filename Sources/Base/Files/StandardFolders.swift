import Foundation

/// The cache folder: the one that NIFTY_CACHE names, else `nifty` in the user's cache folder; `nil` without
/// either.
package var cacheFolder: String? {
  let environment = ProcessInfo.processInfo.environment
  let roots: [String?] = [
    environment["NIFTY_CACHE"], environment["XDG_CACHE_HOME"].map { $0 + "/nifty" },
    environment["HOME"].map { $0 + "/.cache/nifty" },
  ]
  return roots.compactMap { $0 }.first { !$0.isEmpty }
}

/// A relative path in every folder above the program, then in every folder above the current one.
package func pathsAbove(program relative: String) -> [String] {
  let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let beside = program.map { URL(filePath: $0).deletingLastPathComponent().path }
  let starts = [beside, FileManager.default.currentDirectoryPath].compactMap { $0 }
  return starts.flatMap { ancestors(of: $0) }
    .map { ($0 == "/" ? "" : $0) + "/" + relative }
}

private func ancestors(of path: String) -> [String] {
  sequence(first: URL(filePath: path)) { $0.path == "/" ? nil : $0.deletingLastPathComponent() }
    .map(\.path)
}
