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

  private func text(_ name: String) -> String { contents(of: fixture.path(name)) }

  /// Keeps whoever opens a file to write it waiting in the kernel, as for a file system that does not
  /// answer: by a lease (fcntl(2)), for as long as the kernel lets one last, 45 seconds.
  ///
  /// - Returns: The descriptor that holds it; `nil` where the file system has no leases.
  private func lease(_ path: String) -> Int32? {
    // The kernel tells the holder that somebody waits, which ends a process that does not listen.
    signal(SIGIO, SIG_IGN)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    let setLease: Int32 = 1024  // F_SETLEASE
    // Refused while the other process has the file open, for microseconds a tick.
    let isHeld = wait(10) { fcntl(descriptor, setLease, Int32(F_RDLCK)) == 0 }
    return isHeld ? descriptor : nil
  }

  @Test func `rank 0 that hangs in its file system stops the others, and is named`() throws {
    // No snapshots: what is looked for is the writing of statistics.
    let train = RanksCommandTests.train + " --kimg=1000 --gpus=2 --snap=100000"
    let launcher = try fixture.start(train)
    #expect(wait(60) { text("output.txt").contains("tick 1 ") })
    let statistics = fixture.path(try fixture.only("runs") + "/stats.jsonl")
    let held = try #require(lease(statistics), "the file system has no leases")
    let hung = Date()
    let noticed = wait(20) { text("output.txt").contains("rank 0 hangs while it writes") }
    let said = text("output.txt")
    #expect(noticed, "\(said)")
    #expect(
      said.contains("rank 0 hangs while it writes stats.jsonl: no progress for "),
      "\(said)"
    )
    #expect(Date().timeIntervalSince(hung) < 15)
    // The launcher ends whoever stays.
    #expect(wait(40) { !launcher.isRunning })
    if launcher.isRunning { launcher.terminate() }
    launcher.waitUntilExit()
    #expect(launcher.terminationStatus == 1)
    close(held)
    let again = try fixture.run("train --continue=latest --outdir=runs --kimg=0.096")
    #expect(again.status == 0, "\(again.errors)")
  }
}
