import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("Mapped files")
struct MappedFileTests {
  @Test func `truncating a mapped file while it is read ends with a line that names it`()
    async throws
  {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent])
    {
      let folder = try TemporaryFolder()
      let path = folder.file("cut.bin")
      try Data(count: 3 * 4096).write(to: URL(filePath: path))
      let other = try MappedFile("/proc/self/exe")
      let file = try MappedFile(path)
      FileError.setAdvice("go on with: nifty train --continue RUN")
      #expect(truncate(path, 4096) == 0)
      // The first page is still there.
      #expect(file.bytes[4095] == 0)
      withExtendedLifetime(other) { _ = file.bytes[2 * 4096] }
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(said.contains("/cut.bin became shorter while it was read"), "\(said)")
    #expect(said.hasSuffix("then go on with: nifty train --continue RUN\n"))
  }

  @Test func `a trap after a mapped file was overwritten in place ends with a line that names it`()
    async throws
  {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent])
    {
      let folder = try TemporaryFolder()
      let path = folder.file("changed.bin")
      try Data([1, 2, 3]).write(to: URL(filePath: path))
      let file = try MappedFile(path)
      FileError.setAdvice("run it again")
      // The file's clock may be as coarse as a tick of the system.
      try await Task.sleep(for: .milliseconds(50))
      let other = try #require(FileHandle(forWritingAtPath: path))
      try other.write(contentsOf: Data([7]))
      withExtendedLifetime(file) { precondition(file.bytes[0] == 1, "what was checked holds") }
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      said.hasSuffix(
        "/changed.bin was overwritten while it was read; repair it, then run it again\n"
      )
    )
  }

  @Test
  func `a trap beside files that are untouched or replaced by rename still kills the process`()
    async
  {
    await #expect(processExitsWith: .signal(SIGILL)) {
      let folder = try TemporaryFolder()
      let path = folder.file("replaced.bin")
      try Data([1, 2, 3]).write(to: URL(filePath: path))
      let file = try MappedFile(path)
      try await Task.sleep(for: .milliseconds(50))
      try Data([7]).write(to: URL(filePath: path), options: .atomic)
      withExtendedLifetime(file) { precondition(file.bytes[0] == 2, "false as ever") }
    }
  }

  @Test func `a SIGBUS outside of mapped files still kills the process`() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      _ = try MappedFile("/proc/self/exe")
      raise(SIGBUS)
      // The handler has uninstalled itself; the instruction that failed would be repeated.
      raise(SIGBUS)
    }
  }

  @Test func `thousands of simultaneous mappings work`() throws {
    let folder = try TemporaryFolder()
    try Data([7]).write(to: URL(filePath: folder.file("x")))
    let files = try (0..<3000).map { _ in try MappedFile(folder.file("x")) }
    #expect(files.allSatisfy { $0.bytes.first == 7 })
  }
}
