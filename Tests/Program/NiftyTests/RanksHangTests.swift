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

  /// Nobody reads the named pipe that is put in the place of the statistics: who opens it to write
  /// waits in the kernel for ever, as for a file system that does not answer.
  @Test func `rank 0 that hangs in its file system stops the others, and is named`() throws {
    // No snapshots: a checkpoint would open the statistics to read them, and end the wait.
    let train = RanksCommandTests.train + " --kimg=1000 --gpus=2 --snap=100000"
    let launcher = try fixture.start(train)
    #expect(wait(60) { text("output.txt").contains("tick 1 ") })
    let statistics = fixture.path(try fixture.only("runs") + "/stats.jsonl")
    try #require(mkfifo(fixture.path("pipe"), 0o600) == 0)
    try #require(rename(statistics, fixture.path("kept.jsonl")) == 0)
    try #require(rename(fixture.path("pipe"), statistics) == 0)
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
    try #require(rename(fixture.path("kept.jsonl"), statistics) == 0)
    let again = try fixture.run("train --continue=latest --outdir=runs --kimg=0.096")
    #expect(again.status == 0, "\(again.errors)")
  }
}
