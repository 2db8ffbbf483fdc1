import Foundation
import TestSupport
import Testing
import Torch

@testable import Distributed

/// Real processes of which one hangs without being dead.
@Suite("Ranks that hang", .serialized)
struct RanksHangTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  private func wait(_ seconds: Double, until isTrue: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if isTrue() { return true }
      usleep(5000)
    }
    return false
  }

  private func text(_ name: String) -> String {
    (try? String(contentsOfFile: fixture.path(name), encoding: .utf8)) ?? ""
  }

  /// Stops the main thread of a process and leaves the others running, as a file system that does not
  /// answer would.
  private func stopMainThread(of process: Int32) throws -> Process {
    let stopper = Process()
    stopper.executableURL = URL(filePath: try #require(Repository.python))
    let script = """
      import ctypes, sys, time
      if ctypes.CDLL(None).ptrace(16, int(sys.argv[1]), None, None): sys.exit(1)  # PTRACE_ATTACH
      time.sleep(120)
      """
    stopper.arguments = ["-c", script, "\(process)"]
    try stopper.run()
    return stopper
  }

  @Test(
    .enabled(if: geteuid() == 0 && Repository.python != nil, "only root may trace, with Python")
  )
  func `rank 0 whose main thread hangs stops the others, and is named`() throws {
    let train = RanksCommandTests.train + " --kimg=1000 --gpus=2 --snap=100000"
    let launcher = try fixture.start(train)
    #expect(wait(60) { text("output.txt").contains("tick 1 ") })
    let id = launcher.processIdentifier
    let listed = try String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
    let ranks = listed.split(separator: " ").compactMap { Int32($0) }.sorted()
    let stopper = try stopMainThread(of: try #require(ranks.first))
    defer { stopper.terminate() }
    let hung = Date()
    // In an exchange rank 1 cannot tell a hang from a cut cable; elsewhere rank 0's heartbeat tells.
    let noticed = wait(30) {
      ["rank 0 died or hangs", "rank 0 hangs while it "].contains {
        text("output.txt").contains($0)
      }
    }
    #expect(noticed, "\(text("output.txt"))")
    #expect(Date().timeIntervalSince(hung) < 25)
    // The launcher ends whoever stays.
    #expect(wait(40) { !launcher.isRunning })
    if launcher.isRunning { launcher.terminate() }
    launcher.waitUntilExit()
    #expect(launcher.terminationStatus == 1)
    let again = try fixture.run("train --continue=latest --outdir=runs --kimg=0.096")
    #expect(again.status == 0, "\(again.errors)")
  }
}
