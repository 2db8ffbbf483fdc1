import Foundation
import Glibc

/// The process's limit on open files and connections.
enum OpenFiles {
  /// The maximum that a download needs: a connection for each request in flight and as many that are kept
  /// alive, the lookups, the files being written, the clients of the metrics server, and the process's own.
  static func needed(by settings: FetchSettings) -> Int {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return 2 * settings.concurrency + settings.resolverThreads
      + 2 * (settings.decoderThreads ?? cores) + MetricsServer.maximumConnections + 64
  }

  /// Raises the limit of the process to `count` where the system allows it.
  static func allow(_ count: Int) throws(LaionError) {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
    let hard = limit.rlim_max
    limit.rlim_cur = min(hard, rlim_t(count))
    guard hard >= rlim_t(count), setrlimit(resource, &limit) == 0 else {
      throw .tooFewFiles(needed: count, allowed: Int(clamping: hard))
    }
  }
}
