import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("Growing files")
struct PartialFileTests {
  /// A file too large to be mapped, on the one file system that has such files; `nil` where it is missing.
  private func endlessFile() -> String? {
    let path = "/dev/shm/nifty-\(UUID().uuidString)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    if descriptor < 0 { return nil }
    defer { close(descriptor) }
    if ftruncate(descriptor, off_t(1) << 60) == 0 { return path }
    unlink(path)
    return nil
  }

  @Test func `a file that cannot be read on is kept, and no other descriptor is closed`() {
    guard let path = endlessFile() else { return }
    defer { unlink(path) }
    let stray = strayCloses(in: 0.3) {
      #expect(throws: FileError.self) { try PartialFile(path, keeping: true) }
    }
    #expect(stray == 0)
    #expect(access(path, F_OK) == 0)
  }

  @Test func `an empty file is removed, one with bytes is kept`() throws {
    let folder = try TemporaryFolder()
    do { _ = try PartialFile(folder.file("empty"), keeping: true) }
    #expect(access(folder.file("empty"), F_OK) != 0)
    do {
      let bytes: [UInt8] = [1, 2, 3]
      let file = try PartialFile(folder.file("full"), keeping: true)
      try bytes.withUnsafeBytes { try file.append($0) }
    }
    #expect(access(folder.file("full"), F_OK) == 0)
    #expect(try PartialFile(folder.file("full"), keeping: true).size == 3)
  }
}
