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
