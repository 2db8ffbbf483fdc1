import Files
import Foundation
import TestSupport
import Testing

@Suite("Files")
struct AtomicFileTests {
  private func contents(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func `a file has its name only after the commit`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.bin"
      let file = try AtomicFile(path)
      try file.write([1, 2, 3])
      try file.write([4])
      #expect(file.size == 4)
      #expect(!FileManager.default.fileExists(atPath: path))
      try file.commit()
      #expect(try contents(folder) == ["a.bin"])
      #expect(try Array(Data(contentsOf: URL(filePath: path))) == [1, 2, 3, 4])
    }
  }

  @Test(arguments: [1, 3, 4, 100])
  func `flushing in between does not change the bytes`(interval: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.bin"
      let file = try AtomicFile(path, flushInterval: interval)
      let bytes = (0..<50).map { UInt8($0) }
      for start in stride(from: 0, to: 50, by: 10) {
        try file.write(Array(bytes[start..<start + 10]))
      }
      #expect(file.size == 50)
      try file.commit()
      #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
    }
  }

  @Test func `without a commit the old file stays and nothing is left behind`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.bin"
      try AtomicFile.write("old", to: path)
      do {
        let file = try AtomicFile(path)
        try file.write([9])
      }
      #expect(try contents(folder) == ["a.bin"])
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }
  }

  @Test func `a folder that is missing is one line with the path`() throws {
    let error = #expect(throws: FileError.self) {
      try AtomicFile.write("x", to: "/nowhere/at/all")
    }
    #expect(
      error?.description
        == "cannot create /nowhere/at/all: No such file or directory; make its folder first"
    )
  }

  @Test func `a mapped file has the bytes, an empty one has none`() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write([5, 6], to: folder + "/two")
      // The bytes are there as long as the object is.
      let two = try MappedFile(folder + "/two")
      #expect(withExtendedLifetime(two) { Array(two.bytes) } == [5, 6])
      try AtomicFile.write([], to: folder + "/none")
      #expect(try MappedFile(folder + "/none").bytes.isEmpty)
    }
  }

  @Test func `a folder and a named pipe are refused at once`() throws {
    try withTemporaryFolder { folder in
      #expect(throws: FileError.self) { try MappedFile(folder) }
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      let error = #expect(throws: FileError.self) { try MappedFile(folder + "/pipe") }
      #expect(error?.reason == "a named pipe, not a file")
    }
  }

  @Test func `two folders are swapped, and nothing changes where one is missing`() throws {
    try withTemporaryFolder { folder in
      for name in ["a", "b"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(name)",
          withIntermediateDirectories: true
        )
        try AtomicFile.write(name, to: "\(folder)/\(name)/text")
      }
      #expect(AtomicFile.exchange("\(folder)/a", "\(folder)/b"))
      #expect(try String(contentsOfFile: "\(folder)/a/text", encoding: .utf8) == "b")
      #expect(try String(contentsOfFile: "\(folder)/b/text", encoding: .utf8) == "a")
      #expect(!AtomicFile.exchange("\(folder)/a", "\(folder)/c"))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/a/text"))
    }
  }
}
