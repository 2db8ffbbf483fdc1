import Foundation
import TestSupport
import Testing

@testable import Files

@Suite("Locks of files")
struct FileLockTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func opened(_ name: String = "file") -> Int32 {
    open(folder.file(name), O_RDWR | O_CREAT, 0o600)
  }

  private func refusal(_ descriptor: Int32, to work: String) -> FileError? {
    do throws(FileError) {
      try FileLock.take(descriptor, on: "the file", to: work)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a second descriptor is refused with the holder's PID until the first is released`()
    throws
  {
    let (first, second) = (opened(), opened())
    defer {
      close(first)
      close(second)
    }
    try FileLock.take(first, on: "the file", to: "pack into")
    // Whoever has it may take it again.
    try FileLock.take(first, on: "the file", to: "pack into")
    let error = try #require(refusal(second, to: "pack into"))
    #expect(error.code == EWOULDBLOCK)
    #expect(
      error.description
        == "cannot pack into the file: process \(getpid()) is using it; wait for it or end it"
    )
    FileLock.release(first)
    #expect(refusal(second, to: "pack into") == nil)
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/flock"),
      "flock of util-linux is not installed"
    )
  )
  func `a lock of another process is reported with its PID and freed when it dies`() throws {
    let holder = Process()
    holder.executableURL = URL(filePath: "/usr/bin/flock")
    // The process that locks becomes the one that waits.
    holder.arguments = [
      "--no-fork", folder.file("file"), "/bin/sh", "-c", "echo held; exec sleep 60",
    ]
    let output = Pipe()
    holder.standardOutput = output
    try holder.run()
    defer { if holder.isRunning { holder.terminate() } }
    // To the end of a line, or of the process.
    #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
    let descriptor = opened()
    defer { close(descriptor) }
    let error = try #require(refusal(descriptor, to: "pack into"))
    #expect(error.code == EWOULDBLOCK)
    #expect(
      error.description == "cannot pack into the file: process \(holder.processIdentifier) "
        + "is using it; wait for it or end it"
    )
    kill(holder.processIdentifier, SIGKILL)
    // Not awaited: Foundation's wait may miss the end of a process. Its lock goes within a moment.
    let end = ContinuousClock.now + .seconds(20)
    while refusal(descriptor, to: "pack into") != nil, ContinuousClock.now < end { usleep(10_000) }
    #expect(refusal(descriptor, to: "pack into") == nil)
  }

  @Test func `a released lock is free although a duplicate descriptor stays open`() throws {
    let (first, second) = (opened(), opened())
    try FileLock.take(first, on: "the file", to: "write")
    let copy = dup(first)
    defer {
      close(copy)
      close(second)
    }
    close(first)
    #expect(refusal(second, to: "write") != nil, "the copy holds the lock")
    FileLock.release(copy)
    #expect(refusal(second, to: "write") == nil)
  }

  @Test func `a closed or renamed file is told apart from the one that has the name`() throws {
    let descriptor = opened()
    defer { close(descriptor) }
    #expect(FileLock.isStill(descriptor, at: folder.file("file")))
    #expect(rename(folder.file("file"), folder.file("other")) == 0)
    #expect(!FileLock.isStill(descriptor, at: folder.file("file")))
    #expect(FileLock.isStill(descriptor, at: folder.file("other")))
    close(opened())
    #expect(!FileLock.isStill(descriptor, at: folder.file("file")), "another file has the name")
    #expect(!FileLock.isStill(-1, at: folder.file("file")))
  }

  #if arch(x86_64)
  @Test func `without file system locks work continues with one warning per path`()
    async throws
  {
    let result = await #expect(
      processExitsWith: .success,
      observing: [\.standardErrorContent]
    ) {
      let folder = try TemporaryFolder()
      let descriptor = open(folder.file("file"), O_RDWR | O_CREAT, 0o600)
      #expect(FlockFilter.fail(with: ENOLCK))
      for name in ["one", "one", "two"] {
        try FileLock.take(descriptor, on: name, to: "pack into")
      }
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    func line(_ name: String) -> String {
      "the file system of \(name) has no locks: let no other nifty work there meanwhile"
    }
    #expect(text.split(separator: "\n").map(String.init) == [line("one"), line("two")])
  }

  @Test func `any other locking failure is an error`() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let descriptor = open(folder.file("file"), O_RDWR | O_CREAT, 0o600)
      #expect(FlockFilter.fail(with: EIO))
      let error = #expect(throws: FileError.self) {
        try FileLock.take(descriptor, on: "one", to: "pack into")
      }
      #expect(error?.description == "cannot lock one: Input/output error")
    }
  }
  #endif
}

#if arch(x86_64)
/// Lets flock(2) fail on the calling thread, as it does on a file system without locks.
private enum FlockFilter {
  private typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
  // struct sock_filter
  private typealias Instruction = (code: UInt16, yes: UInt8, no: UInt8, value: UInt32)
  // struct sock_fprog
  private struct Program {
    var count: UInt16
    var instructions: UnsafeMutableRawPointer?
  }

  static func fail(with code: Int32) -> Bool {
    guard let symbol = dlsym(nil, "prctl") else { return false }
    let control = unsafeBitCast(symbol, to: Control.self)
    var instructions: [Instruction] = [
      (0x20, 0, 0, 0),  // load the number of the call
      (0x15, 0, 1, 73),  // flock?
      (0x06, 0, 0, 0x0005_0000 | UInt32(code)),  // fails
      (0x06, 0, 0, 0x7fff_0000),  // goes on
    ]
    return instructions.withUnsafeMutableBytes { bytes in
      var program = Program(count: 4, instructions: bytes.baseAddress)
      return withUnsafePointer(to: &program) { pointer in
        control(38, 1, 0, 0, 0) == 0 && control(22, 2, UInt(bitPattern: pointer), 0, 0) == 0
      }
    }
  }
}
#endif
