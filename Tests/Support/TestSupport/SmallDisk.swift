import Foundation
package import Testing

/// A disk of a few megabytes in memory, for what happens when it is full.
///
/// Making one takes root and the right to mount, which some containers lack.
package enum SmallDisk {
  /// Whether one can be made here.
  package static let isAvailable: Bool = {
    guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
    guard (try? mount(folder.path, megabytes: 1)) == true else { return false }
    unmount(folder.path)
    return true
  }()

  /// Why a test that needs one is skipped.
  package static let reason: Comment = "needs root and the right to mount"

  /// Puts an empty disk in the place of a folder; whether it worked.
  package static func mount(_ folder: String, megabytes: Int) throws -> Bool {
    let options = ["-t", "tmpfs", "-o", "size=\(megabytes)m", "none", folder]
    return try runProgram("/bin/mount", options)?.status == 0
  }

  /// Takes it away with everything on it.
  package static func unmount(_ folder: String) {
    _ = try? runProgram("/bin/umount", ["-l", folder])
  }
}
