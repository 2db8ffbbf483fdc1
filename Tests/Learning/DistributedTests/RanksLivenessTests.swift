import Foundation
import Synchronization
import Testing
import Torch
import TorchTestSupport

@testable import Distributed

/// Hangs and long work, which look alike from outside.
///
/// Ranks are threads of one process.
@Suite("Ranks that hang and ranks that work long", .serialized)
struct RanksLivenessTests {
  /// What every rank says in the end.
  private func said(
    _ count: Int,
    timeout: Duration = .seconds(20),
    _ body: @escaping @Sendable (Ranks) throws -> Void
  ) async throws -> [String] {
    try await inRanks(count, timeout: timeout) { group -> String in
      let ranks = Ranks(group, patience: 20, bound: 2)
      do { try body(ranks) } catch {
        // What the ranks say of themselves is kept by rank 0.
        if ranks.rank == 0 { Thread.sleep(forTimeInterval: 3) }
        return "\(error)"
      }
      return "nothing noticed"
    }
  }

  @Test func `ranks waiting for a hanging rank 0 name the operation that it hangs in`() async throws
  {
    let said = try await said(3) { ranks in
      if ranks.rank == 0 {
        try ranks.whileOthersWait {
          try ranks.doing("writes network-snapshot-000010.pkl") { Thread.sleep(forTimeInterval: 7) }
        }
        return
      }
      #expect(try ranks.nextCommand() == .wait)
      let start = ContinuousClock.now
      defer { #expect(start.secondsAgo < 6) }
      try ranks.waitForFirst()
    }
    let expected =
      /rank 0 hangs while it writes network-snapshot-000010\.pkl: no progress for [2-5] seconds/
    for text in said.dropFirst() { #expect(text.wholeMatch(of: expected) != nil, "\(text)") }
  }

  @Test func `a slow rank 0 is not taken for a hanging one`() async throws {
    let said = try await said(2) { ranks in
      guard ranks.rank == 0 else {
        #expect(try ranks.nextCommand() == .wait)
        try ranks.waitForFirst()
        // Rank 0 keeps what is said: it goes last.
        _ = ranks.allReduceSum(Tensor([Float(1)]))
        return
      }
      try ranks.whileOthersWait {
        // It computes.
        let end = ContinuousClock.now + .seconds(4)
        var x = 1.0
        while ContinuousClock.now < end { for _ in 0..<1000 { x = (x + 2 / x) / 2 } }
        #expect(abs(x * x - 2) < 1e-9)
        // It does one thing after the other on a disk that takes a second and a half for each.
        for name in ["a", "b", "c"] {
          try ranks.doing("writes \(name)") { Thread.sleep(forTimeInterval: 1.5) }
        }
        // It waits for a thread of its own that a slow disk wakes for each piece.
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [detector = ranks.hangDetector] in
          detector.alongside {
            for _ in 0..<4 { Thread.sleep(forTimeInterval: 1) }
          }
          done.signal()
        }
        ranks.hangDetector.doing("waits for a checkpoint") { done.wait() }
      }
      _ = ranks.allReduceSum(Tensor([Float(1)]))
      try ranks.check()
    }
    #expect(said == ["nothing noticed", "nothing noticed"])
  }

  @Test func `a thread that never runs makes no progress, a running one does`() async throws {
    let (found, woken) = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        let progress = HangDetector()
        // Asked from another thread, as the heartbeat does.
        let asked = DispatchSemaphore(value: 0)
        let answers = Mutex<[HangDetector.Status]>([])
        Thread.detachNewThread {
          for _ in 0..<8 {
            Thread.sleep(forTimeInterval: 0.25)
            answers.withLock { $0.append(progress.status()) }
          }
          asked.signal()
        }
        progress.doing("writes a") { asked.wait() }
        let stuck = answers.withLock { $0 }
        Thread.detachNewThread {
          Thread.sleep(forTimeInterval: 1.1)
          answers.withLock { $0.append(progress.status()) }
          asked.signal()
        }
        progress.doing("writes b") {
          while asked.wait(timeout: .now() + 0.2) == .timedOut {}
        }
        let last = answers.withLock { $0[8] }
        continuation.resume(returning: (stuck, last))
      }
    }
    #expect(found.allSatisfy { $0.task == "writes a" })
    for (index, status) in found.enumerated().dropFirst() {
      #expect(status.seconds > 0.25 * Double(index) - 0.05, "\(index): \(status)")
    }
    #expect(woken.task == "writes b" && woken.seconds < 0.5, "\(woken)")
  }

  @Test func `a rank that hangs before the first step is named`() async throws {
    let said = try await said(2) { ranks in
      if ranks.rank == 1 {
        try ranks.doing("reads clip.safetensors") { Thread.sleep(forTimeInterval: 6) }
      } else {
        try ranks.barrier()
      }
    }
    #expect(
      said[0].hasPrefix("rank 1 hangs while it reads clip.safetensors: no progress for "),
      "\(said[0])"
    )
  }

  @Test func `a hanging rank is distinguished from those waiting for it`() async throws {
    let said = try await said(3, timeout: .seconds(3)) { ranks in
      if ranks.rank == 1 {
        try ranks.doing("reads images of the data") { Thread.sleep(forTimeInterval: 8) }
        return
      }
      // Later than the other: it still waits when that one gives up, and hangs no more than it.
      if ranks.rank == 2 { Thread.sleep(forTimeInterval: 0.5) }
      _ = ranks.allReduceSum(Tensor([Float(1)]))
      try ranks.check()
    }
    for rank in [0, 2] {
      #expect(
        said[rank].hasPrefix("rank 1 hangs while it reads images of the data: no progress for "),
        "\(said[rank])"
      )
    }
  }

  @Test(arguments: ["9223372036854775807", "-9223372036854775808", "1000000000000", "-1", "x", ""])
  func `a heartbeat of impossible seconds is ignored`(seconds: String) async {
    await #expect(processExitsWith: .success) { [seconds = seconds as String] in
      let status = HangDetector.Status(beat: "7 \(seconds) writes a.txt")
      #expect(status?.hang(of: 3, after: -1e19) == nil)
    }
  }

  @Test func `a heartbeat round-trips`() {
    for status in [
      HangDetector.Status(seconds: 0, task: "writes a b.txt"),
      HangDetector.Status(seconds: 61, task: nil),
    ] { #expect(HangDetector.Status(beat: "7 \(status.text)") == status) }
    #expect(
      HangDetector.Status(beat: "7") == nil && HangDetector.Status(beat: "") == nil
    )
    let hang = HangDetector.Status(seconds: 60, task: "computes fid50k_full")
    #expect(
      hang.hang(of: 3, after: 60)
        == "rank 3 hangs while it computes fid50k_full: no progress for 60 seconds"
    )
    #expect(hang.hang(of: 3, after: 61) == nil)
    #expect(HangDetector.Status(seconds: 90, task: nil).hang(of: 3, after: 60) == nil)
  }
}
