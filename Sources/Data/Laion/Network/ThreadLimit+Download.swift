import Foundation
import Threads

extension ThreadLimit {
  /// Address space for pictures that are being decoded, and for what libraries keep.
  private static let workingMemory = 512 << 20

  /// Why a download cannot have its threads; `nil` if it can.
  ///
  /// NIO's pools of threads end the process where a thread does not start.
  static func refusal(of settings: FetchSettings) -> String? {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let pools = settings.resolverThreads + (settings.decoderThreads ?? cores) + cores
    // Beside the pools there are Swift's executors and the metrics' server.
    return refusal(of: pools + cores + common, memory: workingMemory)
  }
}
