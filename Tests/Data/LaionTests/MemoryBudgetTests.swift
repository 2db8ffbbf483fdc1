import Images
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing
import Web

@testable import Laion

/// What many tasks hold together stays within bounds.
@Suite("Memory budget", .timeLimit(.minutes(1)))
struct MemoryBudgetTests {
  @Test func `growing reservations hold at most the budget and one oversized one`()
    async throws
  {
    let budget = MemoryBudget(limit: 1000)
    let largest = 600
    let finished = await withTaskGroup(of: Bool.self) { tasks in
      for number in 0..<200 {
        tasks.addTask {
          let reservation = budget.reservation()
          defer { reservation.release() }
          let wanted = 100 + number * 37 % 500
          var size = 10
          while size <= wanted {
            guard (try? await reservation.grow(to: size)) != nil else { return false }
            await Task.yield()
            size *= 2
          }
          return true
        }
      }
      var count = 0
      for await isFinished in tasks where isFinished { count += 1 }
      return count
    }
    #expect(finished == 200)
    #expect(budget.used == 0)
    #expect(budget.peak > 900 && budget.peak <= 1000 + largest)
  }

  @Test func `reservations never exceed the budget, and an oversized one is granted alone`()
    async throws
  {
    let budget = MemoryBudget(limit: 100)
    let together = Together()
    await withTaskGroup { tasks in
      for number in 0..<100 {
        tasks.addTask {
          let size = number % 20 == 7 ? 350 : 1 + number % 60
          let reservation = budget.reservation()
          try? await reservation.grow(to: size)
          together.enter()
          for _ in 0..<3 { await Task.yield() }
          together.leave(isLarge: size > 100)
          reservation.release()
        }
      }
    }
    #expect(together.withLarge == 1)
    #expect(budget.used == 0 && budget.peak == 350)
  }

  @Test func `a cancelled waiter leaves the queue`() async throws {
    let budget = MemoryBudget(limit: 10)
    let first = budget.reservation()
    try await first.grow(to: 10)
    let waiting = Task {
      let reservation = budget.reservation()
      defer { reservation.release() }
      try await reservation.grow(to: 5)
    }
    try await Task.sleep(for: .milliseconds(20))
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    // What was cancelled before it asked does not wait either.
    await #expect(throws: CancellationError.self) {
      try await Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await budget.reservation().grow(to: 5)
      }.value
    }
    first.release()
    let next = budget.reservation()
    try await next.grow(to: 10)
    #expect(budget.used == 10)
    next.release()
  }

  /// A picture of one colour is a few kilobytes however many pixels it has.
  @Test func `images at the pixel limit are decoded few at a time`() async throws {
    let side = 400
    let white = [UInt8](repeating: 255, count: side * side * 3)
    let bomb = ByteBuffer(
      bytes: try RGBImage(width: side, height: side, pixels: white).encodedPNG()
    )
    #expect(bomb.readableBytes < side * side / 50)
    let decoders = NIOThreadPool(numberOfThreads: 4)
    decoders.start()
    let pixels = MemoryBudget(limit: 2 * side * side)
    var settings = ImageSettings()
    settings.maximumPixels = side * side
    let store = ImageStore(pool: decoders, pixels: pixels, settings: settings)
    try await withTemporaryFolder { path in
      let folder = SplitFolder(path: path, format: .png)
      try folder.create()
      let stored = await withTaskGroup(of: Bool.self) { tasks in
        for number in 0..<8 {
          tasks.addTask {
            let result = await store.store(bomb, row: number, to: StagedFiles(folder: folder))
            if case .success = result { return true }
            return false
          }
        }
        return await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(stored == 8)
    }
    #expect(pixels.used == 0 && pixels.peak == 2 * side * side)
    try await decoders.shutdownGracefully()
  }

  @Test func `large bodies are downloaded one after another when there is room for one`()
    async throws
  {
    let body = [UInt8](repeating: 7, count: 300_000)
    let server = try RawServer(["/a": .ok(body)])
    defer { server.stop() }
    var settings = TestFetcher.settings
    settings.maximumBytesInFlight = 1 << 20
    settings.concurrency = 8
    settings.totalTimeout = 20
    settings.readTimeout = 20
    let fetcher = TestFetcher(settings) { _ in .success([.v4(0x7F00_0001)]) }
    let url = server.url("/a")
    let lengths = try await withThrowingTaskGroup(of: Int.self) { tasks in
      for _ in 0..<12 {
        tasks.addTask { try await fetcher.body(url).get().count }
      }
      return try await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(lengths == Array(repeating: body.count, count: 12))
    // The buffer of a body of 300,000 bytes has 512 KiB.
    #expect(fetcher.fetcher.bodies.peak <= 1 << 20 + 1 << 19)
    #expect(fetcher.fetcher.bodies.used == 0)
    await fetcher.shutDown()
  }
}

/// Who is at work at the same time.
private final class Together: Sendable {
  private let state = Mutex((now: 0, withLarge: 0))

  /// The most that were at work with a large one, itself included.
  var withLarge: Int { state.withLock { $0.withLarge } }

  func enter() { state.withLock { $0.now += 1 } }

  func leave(isLarge: Bool) {
    state.withLock { state in
      if isLarge { state.withLarge = max(state.withLarge, state.now) }
      state.now -= 1
    }
  }
}
