import Files
import Foundation
import TestSupport
import Testing

@Suite("Regular files")
struct RegularFileTests {
  /// Something other than a file, by what it is called.
  private func make(_ kind: String, _ path: String) throws {
    switch kind {
    case "a named pipe": try #require(mkfifo(path, 0o600) == 0)
    case "a folder": try #require(mkdir(path, 0o700) == 0)
    case "a link": try #require(symlink("elsewhere", path) == 0)
    case "a socket": try #require(mknod(path, S_IFSOCK | 0o600, 0) == 0)
    default:
      // A device that is like /dev/null; only root can make one.
      try #require(mknod(path, S_IFCHR | 0o600, 1 << 8 | 3) == 0)
    }
  }

  private static let kinds =
    ["a named pipe", "a folder", "a link", "a socket"] + (geteuid() == 0 ? ["a device"] : [])

  /// Number and kind of what a path names, of a link itself.
  ///
  /// Without stat(2): which module has it for Swift depends on the number of compiler jobs.
  private func identity(_ path: String) throws -> [String] {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try [FileAttributeKey.systemFileNumber, .type].map { "\(try #require(attributes[$0]))" }
  }

  @Test(arguments: kinds)
  func `a path that is not a regular file is neither replaced nor written`(kind: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out.zip"
      try make(kind, path)
      let before = try identity(path)
      let refused = #expect(throws: FileError.self) { try AtomicFile.write("text", to: path) }
      #expect(refused?.description.contains("there is \(kind) of this name") == true)
      #expect(throws: FileError.self) { try RegularFile.open(path, O_WRONLY | O_CREAT | O_TRUNC) }
      #expect(throws: FileError.self) { try RegularFile.cut(path, to: 0) }
      #expect(try identity(path) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["out.zip"])
    }
  }

  @Test func `a named pipe that appears during a write is not replaced`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out"
      let file = try AtomicFile(path)
      try file.write([1])
      try make("a named pipe", path)
      #expect(throws: FileError.self) { try file.commit() }
      file.discard()
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["out"])
    }
  }

  @Test func `a link is not followed to the file it leads to`() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("precious", to: folder + "/elsewhere")
      try make("a link", folder + "/log.txt")
      #expect(throws: FileError.self) { try RegularFile.cut(folder + "/log.txt", to: 0) }
      #expect(throws: FileError.self) {
        try RegularFile.open(folder + "/log.txt", O_WRONLY | O_APPEND)
      }
      #expect(try String(contentsOfFile: folder + "/elsewhere", encoding: .utf8) == "precious")
    }
  }

  @Test func `a place for a file is one in a folder that may be written to`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "file")
    for place in ["new", "file"] {
      try RegularFile.expectPlace(for: folder.file(place))
      try RegularFile.expectPlace(for: folder.file(place), appending: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"),
      withDestinationPath: "file"
    )
    for (path, reason) in [
      ("", "without a name"), (folder.path, "a folder of this name"),
      (folder.file("none/new"), "make its folder first"), (folder.file("link"), "a link of this"),
      (folder.file("file/new"), "Not a directory"),
    ] {
      let error = #expect(throws: FileError.self) { try RegularFile.expectPlace(for: path) }
      #expect("\(try #require(error))".contains(reason))
    }
    let error = #expect(throws: FileError.self) { _ = try OpenedFile(folder.file("link")) }
    #expect("\(try #require(error))".contains("a link, which is not followed"))
  }
}
