import Datasets
import Files
import Foundation
import Images
import JSON
import TestSupport
import Testing

@testable import Studio

@Suite("Downloads and datasets in the making", .serialized, .timeLimit(.minutes(5)))
struct WorksTests {
  private static let some = WorkProgress(
    done: 30,
    total: 100,
    images: 28,
    leftOut: 2,
    rate: 2.5,
    secondsLeft: 28
  )

  private func works(_ folder: TemporaryFolder) throws -> [WorkSummary] {
    try RunsFolder(folder.path).table().works
  }

  /// Looks until a work is as it should be.
  private func awaited(
    in folder: TemporaryFolder,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isRight: (WorkSummary) -> Bool
  ) async throws -> WorkSummary {
    var last: [WorkSummary] = []
    for _ in 0..<1500 {
      last = try works(folder)
      if let first = last.first, isRight(first) { return first }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("never so: \(last)", sourceLocation: sourceLocation)
    return try #require(last.first)
  }

  @Test func `a split and a zip are stopped, running while their log is locked, and finished`()
    throws
  {
    let folder = try TemporaryFolder()
    try folder.write([], to: "laion/split0/.ledger")
    try folder.write([], to: "sets/.coco.zip.packing/journal")
    Self.some.note(in: folder.file("laion/split0"))
    Self.some.note(in: folder.file("sets/.coco.zip.packing"))
    let stopped = try works(folder)
    #expect(stopped.map(\.name) == ["laion/split0", "sets/coco.zip"])
    #expect(stopped.map(\.kind) == [.laion, .pack] && stopped.allSatisfy { $0.state == .stopped })
    #expect(stopped[0].json["done"] == 30 && stopped[0].json["total"] == 100)
    #expect(stopped[0].json["rate"] == .null && stopped[0].json["seconds_left"] == .null)

    let log = open(folder.file("sets/.coco.zip.packing/journal"), O_RDWR | O_CLOEXEC)
    defer { close(log) }
    try FileLock.take(log, on: "journal", to: "test")
    let running = try works(folder)
    #expect(running.map(\.name) == ["sets/coco.zip", "laion/split0"], "those in progress first")
    #expect(running[0].state == .running && running[0].process == Int(getpid()))
    #expect(running[0].json["rate"] == 2.5 && running[0].json["seconds_left"] == 28.0)
    #expect(running[0].json["left_out"] == 2 && running[0].json["images"] == 28)

    let statistics = #"{"pairs": 90, "target": 100, "failures": {"a": 5}, "filtered": {"b": 7}}"#
    try folder.write(Array(statistics.utf8), to: "laion/split0/stats.json")
    let finished = try #require(try works(folder).last)
    #expect(finished.state == .finished && finished.progress?.done == 90)
    #expect(finished.progress?.leftOut == 12)
  }

  @Test func `what cannot be read is one line, and the others are there`() throws {
    let folder = try TemporaryFolder()
    for name in ["a", "b", "c", "d"] { try folder.write([], to: "\(name)/.ledger") }
    try folder.write(Array("{".utf8), to: "a/.progress.json")
    try folder.write(Array(#"{"pairs": -1}"#.utf8), to: "b/stats.json")
    let huge = #"{"done": 9e99, "images": 1, "leftOut": 0, "rate": 1}"#
    try folder.write(Array(huge.utf8), to: "c/.progress.json")
    let works = try works(folder)
    #expect(works.map(\.state) == [.damaged, .damaged, .damaged, .stopped])
    #expect(works.allSatisfy { ($0.trouble == nil) == ($0.state == .stopped) })
    #expect(works.allSatisfy { $0.trouble?.contains("\n") != true })
  }

  @Test func `causes of any number are counted to a limit`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "a/.ledger")
    let most = 1 << 50
    let causes = (0..<20_000).map { "\"\($0)\": \(most)" }.joined(separator: ", ")
    try folder.write(
      Array("{\"pairs\": 1, \"failures\": {\(causes)}}".utf8),
      to: "a/stats.json"
    )
    #expect(try works(folder).first?.progress?.leftOut == most)
  }

  @Test func `a split is not searched for runs, and its zip is no work of its own`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "out/split0/.ledger")
    // A pair's folder of a strange name: a run only to those who look inside.
    try folder.write(Array("{}".utf8), to: "split1/0/training_options.json")
    try folder.write([], to: "split1/.ledger")
    try folder.write([], to: "out/.split0.zip.packing/journal")
    try folder.write([], to: "out/.other.zip.packing/no-journal")
    let table = try RunsFolder(folder.path).table()
    #expect(table.runs.isEmpty && table.works.map(\.name) == ["out/split0", "split1"])
    #expect(try RunsFolder(folder.file("split1")).table().works.map(\.name) == ["."])
  }

  @Test func `a download that is killed and goes on`() async throws {
    let folder = try TemporaryFolder()
    let picture = { (number: Int) in
      try RGBImage(width: 40, height: 40, filledWith: Color(UInt8(20 * number), 9, 200))
        .encodedPNG()
    }
    var routes: [String: LoopbackServer.Answer] = [:]
    for number in 0..<12 { routes["/\(number)"] = .bytes(try picture(number)) }
    // The first try waits for longer than this test lasts.
    let slow = LoopbackServer.Answer.delayed(.seconds(40), .bytes(try picture(6)))
    routes["/6"] = .sequence([slow, .bytes(try picture(6))])
    try await LoopbackServer.run(routes) { server in
      let lines = (0..<12).map { "picture \($0)\t\(server.url("/\($0)"))\n" }.joined()
      try folder.write(Array(lines.utf8), to: "meta/pairs.tsv")
      let words =
        "laion --metadata=meta --out=out --allow-private-addresses --columns=caption,url "
        + "--per-split=12 --timeout=60"
      let arguments = words.split(separator: " ").map(String.init)
      async let killed = niftyAside(arguments, in: folder.path)
      let running = try await awaited(in: folder) { $0.state == .running && $0.progress?.done == 6 }
      #expect(running.name == "out/split0" && running.progress?.total == 12)
      #expect(running.json["rate"]?.double ?? 0 > 0)
      kill(pid_t(try #require(running.process)), SIGKILL)
      #expect(try await killed.status != 0)
      let stopped = try #require(try works(folder).first)
      #expect(stopped.state == .stopped && stopped.progress?.done == 6)
      let again = try await niftyAside(arguments, in: folder.path)
      #expect(again.status == 0, "\(again.errors)")
      let finished = try #require(try works(folder).first)
      #expect(finished.state == .finished && finished.progress?.done == 12)
      #expect(!exists(folder.file("out/split0/.progress.json")))
    }
  }

  @Test func `a packing that is killed and goes on`() async throws {
    let folder = try TemporaryFolder()
    for number in 0..<300 {
      let pixels = (0..<128 * 128 * 3).map { UInt8(truncatingIfNeeded: ($0 &* (number + 3)) >> 3) }
      let image = RGBImage(width: 128, height: 128, pixels: pixels)
      try folder.write(try image.encodedPNG(), to: "pairs/\(number).png")
    }
    let words = "pack --source=pairs --dest=sets/data.zip --width=128 --height=128 --no-clip"
    let arguments = words.split(separator: " ").map(String.init)
    async let killed = niftyAside(arguments, in: folder.path)
    let running = try await awaited(in: folder) { $0.state == .running && $0.progress != nil }
    let process = pid_t(try #require(running.process))
    #expect(running.name == "sets/data.zip" && running.kind == .pack)
    #expect(running.progress?.total == 300)
    kill(process, SIGKILL)
    #expect(try await killed.status != 0)
    let stopped = try #require(try works(folder).first)
    #expect(stopped.state == .stopped && (stopped.progress?.done ?? 300) < 300)
    let again = try await niftyAside(arguments, in: folder.path)
    #expect(again.status == 0, "\(again.errors)")
    #expect(try works(folder).isEmpty && exists(folder.file("sets/data.zip")))
  }
}
