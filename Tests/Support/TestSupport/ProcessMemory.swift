import Foundation

/// The memory of this process, as the kernel counts it.
package enum ProcessMemory {
  /// The most that was resident so far, in bytes.
  package static var peak: Int { bytes(of: "VmHWM:") }

  /// What is resident now, in bytes.
  package static var resident: Int { bytes(of: "VmRSS:") }

  // A number that cannot be read would pass every limit.
  private static func bytes(of name: String) -> Int {
    do {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
      if let kilobytes = line.split(separator: " ").compactMap({ Int($0) }).first, kilobytes > 0 {
        return kilobytes * 1024
      }
      preconditionFailure("/proc/self/status has no \(name)")
    } catch { preconditionFailure("\(error)") }
  }
}
