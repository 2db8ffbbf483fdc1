import Foundation
import Threads

extension ThreadLimit {
  /// Address space for pictures that are being decoded, and for what libraries keep.
  private static let workingMemory = 512 << 20

  /// Why a download cannot have its threads; `nil` if it can.
  ///
  /// NIO's pools of threads end the process where a thread does not start.
  ///
  /// - Parameters:
  ///   - settings: The settings of requests.
  ///   - hasStore: Whether there will be a client of an object store, which has a loop for each core.
  /// - Returns: The reason.
  static func refusal(of settings: FetchSettings, hasStore: Bool = false) -> String? {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let pools = settings.resolverThreads + (settings.decoderThreads ?? cores) + cores
    // Beside the pools there are Swift's executors and the metrics' server.
    return refusal(of: pools + cores * (hasStore ? 2 : 1) + common, memory: workingMemory)
  }
}
