import Files
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Run folders")
struct RunFolderTests {
  @Test(arguments: [
    ([], "00000-x"), (["00007-a", "00012", "notes"], "00013-x"), (["123456-a"], "123457-x"),
    (["9223372036854775807-a"], "00000-x"), (["9223372036854775806-a", "00003-b"], "00004-x"),
    (["99999999999999999999999-a"], "00000-x"), (["999999999-a"], "1000000000-x"),
  ])
  func `the next number is one above the highest that a run can have`(
    names: [String],
    expected: String
  ) throws {
    let folder = try TemporaryFolder()
    for name in names {
      try FileManager.default.createDirectory(
        atPath: folder.file(name),
        withIntermediateDirectories: false
      )
    }
    #expect(try RunFolder.next(in: folder.path, description: "x") == folder.file(expected))
  }

  @Test func `a locked folder of checkpoints is refused, and no other descriptor is closed`() throws
  {
    let parent = try TemporaryFolder()
    let folder = parent.file("checkpoint")
    let first = try CheckpointFolder(folder)
    let stray = strayCloses(in: 0.3) {
      #expect(throws: FileError.self) { try CheckpointFolder(folder) }
    }
    #expect(stray == 0)
    #expect(try first.list().isEmpty)
  }
}
