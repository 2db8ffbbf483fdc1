import Foundation
import Glibc

/// Copies of the descriptors by which this process has a file open: a process that is being started
/// holds such copies until it has become another program.
package struct OpenCopies: ~Copyable {
  private let descriptors: [Int32]

  /// How many there are.
  package var count: Int { descriptors.count }

  package init(of path: String) throws {
    let real = URL(filePath: path).resolvingSymlinksInPath().path
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let own = open.filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == real
    }
    descriptors = own.compactMap { Int32($0) }.map { dup($0) }.filter { $0 >= 0 }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
