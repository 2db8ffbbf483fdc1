import Foundation

/// The cache folder: the one that NIFTY_CACHE names, else `nifty` in the user's cache folder; `nil` without
/// either.
package var cacheFolder: String? { namedCacheFolder(in: ProcessInfo.processInfo.environment) }

/// The cache folder that some environment variables name.
///
/// By the specification of XDG a relative path of the user's cache folder is ignored.
package func namedCacheFolder(in environment: [String: String]) -> String? {
  func absolute(_ name: String) -> String? {
    environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
  }
  let named = environment["NIFTY_CACHE"].flatMap { $0.isEmpty ? nil : $0 }
  return named ?? absolute("XDG_CACHE_HOME").map { $0 + "/nifty" }
    ?? absolute("HOME").map { $0 + "/.cache/nifty" }
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
