import Dispatch
import Synchronization
import Testing

@testable import Studio

@Suite("The painting thread", .timeLimit(.minutes(1)))
struct PaintingThreadTests {
  private struct Broken: Error {}

  /// A thread that paints when it is allowed to, and what it painted.
  private final class Gate: Sendable {
    let thread: PaintingThread<String, String>
    let painted = Mutex<[String]>([])
    let isAtWork = AsyncStream.makeStream(of: String.self)
    private let permits = DispatchSemaphore(value: 0)

    init(capacity: Int = 10, ofClient: Int = 5) {
      thread = PaintingThread(capacity: capacity, capacityOfClient: ofClient)
    }

    func open() async throws {
      try await thread.open {
        (
          (),
          { request in
            self.isAtWork.continuation.yield(request)
            self.permits.wait()
            if request == "broken" { throw Broken() }
            self.painted.withLock { $0.append(request) }
            return request.uppercased()
          }
        )
      }
    }

    /// Sends a request and comes back when it waits or is worked on.
    func send(_ request: String, for client: String) async -> Task<String, any Error> {
      let before = thread.counts.waiting
      let task = Task { try await thread.picture(request, for: client) }
      while thread.counts.waiting == before { await Task.yield() }
      return task
    }

    /// Sends the first request and comes back when the thread is at it.
    func occupy(_ request: String) async -> Task<String, any Error> {
      let task = Task { try await thread.picture(request, for: "first") }
      for await _ in isAtWork.stream { break }
      return task
    }

    func permit(_ count: Int) { for _ in 0..<count { permits.signal() } }
  }

  @Test func `requests of several clients are painted in turns`() async throws {
    let gate = Gate()
    try await gate.open()
    var tasks = [await gate.occupy("first")]
    for (name, client) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")] {
      tasks.append(await gate.send(name, for: client))
    }
    gate.permit(5)
    for task in tasks { _ = try await task.value }
    #expect(gate.painted.withLock { $0 } == ["first", "a1", "b1", "a2", "a3"])
    #expect(gate.thread.counts.painted == 5)
    gate.thread.close()
  }

  @Test func `requests that fit are painted together, in turns, up to the most`() async throws {
    let thread = PaintingThread<String, String>()
    let batches = Mutex<[[String]]>([])
    let permits = DispatchSemaphore(value: 0)
    let isAtWork = AsyncStream.makeStream(of: Void.self)
    try await thread.open(
      inBatchesOf: 3,
      joining: { $0.last == $1.last },
      make: {
        (
          (),
          { requests in
            isAtWork.continuation.yield()
            permits.wait()
            batches.withLock { $0.append(requests) }
            return requests.map { request in
              Result {
                if request == "broken0" { throw Broken() }
                return request.uppercased()
              }
            }
          }
        )
      }
    )
    var tasks = [Task { try await thread.picture("first9", for: "x") }]
    for await _ in isAtWork.stream { break }
    for (name, client) in [
      ("a0", "a"), ("b0", "a"), ("c1", "a"), ("broken0", "b"), ("d0", "b"), ("e0", "c"),
    ] {
      let before = thread.counts.waiting
      tasks.append(Task { try await thread.picture(name, for: client) })
      while thread.counts.waiting == before { await Task.yield() }
    }
    for _ in 0..<7 { permits.signal() }
    for (task, expected) in zip(tasks, ["FIRST9", "A0", "B0", "C1", nil, "D0", "E0"]) {
      if let expected {
        #expect(try await task.value == expected)
      } else {
        await #expect(throws: Broken.self) { try await task.value }
      }
    }
    #expect(
      batches.withLock { $0 } == [["first9"], ["a0", "broken0", "e0"], ["b0", "d0"], ["c1"]]
    )
    #expect(thread.counts.painted == 7)
    thread.close()
  }

  @Test func `a cancelled request is not painted, and those behind it are`() async throws {
    let gate = Gate()
    try await gate.open()
    let first = await gate.occupy("first")
    let cancelled = await gate.send("cancelled", for: "a")
    let last = await gate.send("last", for: "a")
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    #expect(gate.thread.counts.waiting == 1)
    gate.permit(2)
    #expect(try await last.value == "LAST")
    #expect(try await first.value == "FIRST")
    #expect(gate.painted.withLock { $0 } == ["first", "last"])
    gate.thread.close()
  }

  @Test func `a full queue says when to retry`() async throws {
    let gate = Gate(capacity: 2, ofClient: 1)
    try await gate.open()
    let first = await gate.occupy("first")
    let one = await gate.send("a1", for: "a")
    let share = await #expect(throws: PaintingThread<String, String>.Full.self) {
      try await gate.thread.picture("a2", for: "a")
    }
    #expect(share?.isClientsShare == true)
    let other = await gate.send("b1", for: "b")
    let full = await #expect(throws: PaintingThread<String, String>.Full.self) {
      try await gate.thread.picture("c1", for: "c")
    }
    #expect(full?.isClientsShare == false)
    #expect((1...60).contains(full?.retryAfter ?? 0))
    gate.permit(3)
    for task in [first, one, other] { _ = try await task.value }
    gate.thread.close()
  }

  @Test func `an error fails only its own request`() async throws {
    let gate = Gate()
    try await gate.open()
    gate.permit(2)
    await #expect(throws: Broken.self) { try await gate.thread.picture("broken", for: "a") }
    #expect(try await gate.thread.picture("next", for: "a") == "NEXT")
    gate.thread.close()
  }

  @Test func `a model that cannot be opened is an error`() async {
    let thread = PaintingThread<String, String>()
    await #expect(throws: Broken.self) {
      try await thread.open { () throws -> (Int, (String) throws -> String) in throw Broken() }
    }
  }

  @Test func `closing fails all waiting requests`() async throws {
    let gate = Gate()
    try await gate.open()
    let first = await gate.occupy("first")
    let waiting = await gate.send("waiting", for: "a")
    gate.thread.close()
    gate.permit(1)
    #expect(try await first.value == "FIRST")
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await #expect(throws: CancellationError.self) {
      try await gate.thread.picture("late", for: "a")
    }
  }
}
