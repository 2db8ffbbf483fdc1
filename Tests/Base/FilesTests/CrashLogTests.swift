import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files

@Suite("Crash logs")
struct CrashLogTests {
  /// What ends a process.
  enum Fault: String, CaseIterable, Codable {
    case access, trap, abort, stack

    func happen() {
      switch self {
      case .access: UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
      case .trap: fatalError("on purpose")
      case .abort: Glibc.abort()
      case .stack: _ = deeper(1)
      }
    }

    private func deeper(_ depth: Int) -> Int {
      withUnsafeTemporaryAllocation(byteCount: 1 << 9, alignment: 8) { memory in
        memory[depth % 512] = 1
        return depth == .max ? 0 : deeper(depth + 1) + Int(memory[depth % 512])
      }
    }
  }

  @Test(arguments: Fault.allCases)
  func `the job that crashes the process is in the crash log`(fault: Fault) async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("crashes")
    for count in 1...2 {
      await #expect(processExitsWith: .failure) {
        [path = path as String, fault = fault as Fault] in
        let log = try CrashLog(path)
        CrashLog.atWork(6) {}
        CrashLog.atWork(7) { fault.happen() }
        withExtendedLifetime(log) {}
      }
      #expect(try CrashLog(path).counts == [7: count])
    }
  }

  // As glibc's abort() does from 2.41 on, on a thread of Dispatch.
  @Test func `a thread that blocks signals tells its job, too`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("crashes")
    await #expect(processExitsWith: .signal(SIGABRT)) { [path = path as String] in
      let log = try CrashLog(path)
      Thread.detachNewThread {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        CrashLog.atWork(7) { _ = raise(SIGABRT) }
        _exit(0)
      }
      sleep(60)
      withExtendedLifetime(log) {}
    }
    #expect(try CrashLog(path).counts == [7: 1])
  }

  @Test(arguments: [SIGKILL, SIGTERM, SIGSEGV])
  func `a killed process blames no job in its crash log`(signal: Int32) async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("crashes")
    await #expect(processExitsWith: .signal(signal)) {
      [path = path as String, signal = signal as Int32] in
      let log = try CrashLog(path)
      let sender = Process()
      sender.executableURL = URL(filePath: "/bin/sh")
      sender.arguments = ["-c", "kill -\(signal) \(getpid())"]
      CrashLog.atWork(7) {
        try? sender.run()
        sleep(60)
      }
      withExtendedLifetime(log) {}
    }
    #expect(try CrashLog(path).counts.isEmpty)
  }

  @Test func `a crash outside of any job blames none, and an empty log is removed`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("crashes")
    await #expect(processExitsWith: .failure) { [path = path as String] in
      let log = try CrashLog(path)
      CrashLog.atWork(7) {}
      Glibc.abort()
      withExtendedLifetime(log) {}
    }
    #expect(folder.contents.contains("crashes"))
    #expect(try CrashLog(path).counts.isEmpty)
    #expect(!folder.contents.contains("crashes"))
  }

  @Test func `lines that are not numbers are skipped`() throws {
    let folder = try TemporaryFolder()
    try folder.write(Array("7\n\nseven\n7\n12\n1".utf8), to: "crashes")
    #expect(try CrashLog(folder.file("crashes")).counts == [7: 2, 12: 1, 1: 1])
    #expect(folder.contents.contains("crashes"))
  }
}
