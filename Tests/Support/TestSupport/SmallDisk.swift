import Foundation
package import Testing

/// A small disk in memory, for what happens when it is full.
///
/// Making one takes root and the right to mount, which some containers lack.
package enum SmallDisk {
  /// Whether one can be made here.
  package static let isAvailable: Bool = {
    guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
    guard (try? mount(folder.path, kilobytes: 64)) == true else { return false }
    unmount(folder.path)
    return true
  }()

  /// Why a test that needs one is skipped.
  package static let reason: Comment = "needs root and the right to mount"

  /// Mounts an empty disk over a folder; whether it worked.
  package static func mount(_ folder: String, kilobytes: Int) throws -> Bool {
    let options = ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "none", folder]
    return try runProgram("/bin/mount", options)?.status == 0
  }

  /// Gives the disk another size; whether it worked.
  package static func resize(_ folder: String, kilobytes: Int) throws -> Bool {
    try runProgram("/bin/mount", ["-o", "remount,size=\(kilobytes)k", folder])?.status == 0
  }

  /// Takes it away with everything on it.
  package static func unmount(_ folder: String) {
    _ = try? runProgram("/bin/umount", ["-l", folder])
  }
}
