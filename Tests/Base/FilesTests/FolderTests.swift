import Files
import Glibc
import TestSupport
import Testing

@Suite("Folders")
struct FolderTests {
  @Test func `names are sorted by bytes, hidden ones included`() throws {
    let folder = try TemporaryFolder()
    for name in ["b", "a10", "a9", ".c", "Ä", "z"] { try folder.write([], to: name) }
    #expect(try listFolder(folder.path) == [".c", "a10", "a9", "b", "z", "Ä"])
    #expect(try listFolder(ifThere: folder.path).count == 6)
  }

  @Test func `a folder that is missing is an error where it is needed and empty where it may be`()
    throws
  {
    let folder = try TemporaryFolder()
    let missing = folder.file("none")
    let error = #expect(throws: FileError.self) { try listFolder(missing) }
    #expect(error?.code == ENOENT)
    #expect(try listFolder(ifThere: missing) == [])
    try folder.write([1], to: "file")
    #expect(throws: FileError("list folder", path: folder.file("file"), code: ENOTDIR)) {
      try listFolder(folder.file("file"))
    }
    #expect(try listFolder(ifThere: folder.file("file")) == [])
  }

  @Test func `a folder that cannot be opened says why, and is not taken for an empty one`() throws {
    let folder = try TemporaryFolder()
    // A loop of links is the one refusal that a test can bring about as any user.
    #expect(symlink("loop", folder.file("loop")) == 0)
    let errors = [
      #expect(throws: FileError.self) { try listFolder(folder.file("loop")) },
      #expect(throws: FileError.self) { try listFolder(ifThere: folder.file("loop")) },
    ]
    #expect(errors.map { $0?.code } == [ELOOP, ELOOP])
  }

  @Test(.enabled(if: exists("/sys/kernel"), "there is no /sys, as in some chroots"))
  func `a folder that may not be made says why, not that it is missing`() {
    // Nobody makes folders there.
    let error = #expect(throws: FileError.self) { try makeFolder("/sys/nifty-test") }
    #expect(error != nil && error?.code != ENOENT && error?.code != 0)
  }
}
