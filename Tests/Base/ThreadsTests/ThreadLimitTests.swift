import Foundation
import Testing

@testable import Threads

@Suite("Limits on threads")
struct ThreadLimitTests {
  @Test func `as many threads as are needed can run beside each other`() {
    #expect(ThreadLimit.refusal(of: 100, memory: 1 << 30) == nil)
    #expect(ThreadLimit.refusal(of: 0) == nil)
  }

  /// Root may have more processes than the limit: memory is limited instead, a thread's stack needs it.
  @Test func `a limit that too few threads fit into is told, with the number`() async throws {
    await #expect(processExitsWith: .success) {
      try limitAddressSpace(beyond: 64 << 20)
      guard let reason = ThreadLimit.refusal(of: 200) else { exit(1) }
      let isTold = reason.contains("needs 200 threads") && reason.contains("ulimit -v")
      exit(isTold && ThreadLimit.refusal(of: 1) == nil ? 0 : 2)
    }
  }

  @Test func `memory that is missing beside the threads is told`() async throws {
    await #expect(processExitsWith: .success) {
      try limitAddressSpace(beyond: 512 << 20)
      guard let reason = ThreadLimit.refusal(of: 1, memory: 4 << 30) else { exit(1) }
      exit(reason.contains("no memory to work with") ? 0 : 2)
    }
  }
}

/// Limits the process to the address space that it has, and a little more.
private func limitAddressSpace(beyond size: Int) throws {
  let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    .split(separator: " ").first.flatMap { Int($0) }
  let most = rlim_t((pages ?? 0) * Int(getpagesize()) + size)
  var limit = rlimit(rlim_cur: most, rlim_max: most)
  setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
}
