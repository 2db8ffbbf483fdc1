import Foundation
import Synchronization
import Testing

@testable import Threads

@Suite("Threads")
struct WorkerThreadTests {
  @Test func `a thread does its work`() {
    let done = DispatchSemaphore(value: 0)
    let sum = Mutex(0)
    for number in 1...20 {
      #expect(
        WorkerThread.start {
          sum.withLock { $0 += number }
          done.signal()
        } == 0
      )
    }
    for _ in 1...20 { done.wait() }
    #expect(sum.withLock { $0 } == 210)
  }

  /// Root may have more processes than the limit: memory is limited instead, a thread's stack needs it.
  @Test func `a thread that cannot be started ends the process with the reason, not a deadlock`()
    async throws
  {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent])
    {
      var limit = rlimit(rlim_cur: 1, rlim_max: 1)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      #expect(WorkerThread.start {} == EAGAIN)
      WorkerThread.startOrExit {}
    }
    let said = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      said.contains("nifty: cannot start a thread: ") && said.contains("ulimit -u"),
      "\(said)"
    )
  }
}
