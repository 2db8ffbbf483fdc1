import Foundation
import HTTPTypes
import HummingbirdTesting
import JSON
import TestSupport
import Testing

@testable import Studio

@Suite("Runs to watch", .timeLimit(.minutes(5)))
struct RunsTests {
  /// A line as a run writes it.
  static func line(tick: Int, kimg: Double, loss: String) -> String {
    """
    {"Loss/G/loss": {"num": 4, "mean": \(loss), "std": 0.1}, "Progress/tick": {"num": 1, "mean": \(tick), \
    "std": 0.0}, "Progress/kimg": {"num": 1, "mean": \(kimg), "std": 0.0}, "Timing/total_sec": {"num": 1, \
    "mean": \(kimg * 36), "std": 0.0}, "Timing/sec_per_kimg": {"num": 1, "mean": 36.0, "std": 0.0}, \
    "timestamp": 1.5}

    """
  }

  /// A folder with one run of some ticks.
  private func folder(
    ticks: Int = 5,
    total: Int = 10,
    name: String = "00000-a"
  ) throws
    -> TemporaryFolder
  {
    let folder = try TemporaryFolder()
    let lines = (0..<ticks).map { Self.line(tick: $0, kimg: Double($0), loss: "\($0 * $0).5") }
    try folder.write(Array(lines.joined().utf8), to: "\(name)/stats.jsonl")
    try folder.write(
      Array(#"{"total_kimg": \#(total), "nifty": {"maximum_seconds": null}}"#.utf8),
      to: "\(name)/training_options.json"
    )
    try folder.write(
      Array(
        """
        tick 0  kimg 0.0  time 1s
        warning: output-collapsed: all pictures are alike
        tick 4  kimg 4.0  time 9s
        continued at 4.000 kimg

        """.utf8
      ),
      to: "\(name)/log.txt"
    )
    return folder
  }

  @Test func `a run is a row with its progress`() throws {
    let folder = try folder()
    try folder.write(
      Array(#"{"metric": "fid", "value": 12.5, "snapshot": "s.pkl", "images_seen": 4000}"#.utf8),
      to: "00000-a/best.json"
    )
    let runs = try RunsFolder(folder.path).runs()
    let run = try #require(runs.first)
    #expect(runs.count == 1 && run.name == "00000-a" && run.state == .stopped)
    #expect(run.kimg == 4 && run.totalKimg == 10 && run.tick == 4 && run.seconds == 144)
    #expect(run.best == .init(metric: "fid", value: 12.5, snapshot: "s.pkl"))
    #expect(run.warnings == 1 && run.secondsLeft == nil && run.process == nil)
  }

  @Test func `a run whose checkpoints are held is running, with time left`() throws {
    let folder = try folder()
    try folder.write([], to: "00000-a/checkpoint/x")
    let descriptor = open(folder.file("00000-a/checkpoint"), O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let run = try #require(try RunsFolder(folder.path).runs().first)
    #expect(run.state == .running && run.process == Int(getpid()))
    #expect(run.secondsLeft == 216)
  }

  @Test func `a run whose time is used up is finished, though images are missing`() throws {
    let folder = try folder()
    for (limit, state) in [("144.0", RunSummary.State.finished), ("145.0", .stopped)] {
      let options = #"{"total_kimg": 10, "nifty": {"maximum_seconds": \#(limit)}}"#
      try folder.write(Array(options.utf8), to: "00000-a/training_options.json")
      #expect(try RunsFolder(folder.path).runs().first?.state == state, "\(limit)")
    }
  }

  @Test(arguments: [
    (#"{"ending": "collapsed", "reason": "the loss is NaN"}"#, RunSummary.State.collapsed),
    (#"{"ending": "finished"}"#, .finished), (#"{"ending": "stopped"}"#, .stopped),
    (#"{"ending": "failed", "reason": "the disk is full"}"#, .stopped), (#"{"x": 1}"#, .damaged),
  ])
  func `the ending that the run recorded overrides the one inferred`(
    text: String,
    state: RunSummary.State
  ) throws {
    let folder = try folder()
    try folder.write(Array(text.utf8), to: "00000-a/ending.json")
    let run = try #require(try RunsFolder(folder.path).runs().first)
    #expect(run.state == state)
    #expect((run.trouble != nil) == (text.contains("reason") || state == .damaged))
  }

  @Test func `rollbacks are counted apart from warnings`() throws {
    let folder = try folder()
    let log = """
      warning: at 1.000 kimg the discriminator has been sure
      at 2.000 kimg the loss is NaN; back to 1.000 kimg with 0.5 times the learning rates
      """
    try folder.write(Array(log.utf8), to: "00000-a/log.txt")
    let run = try #require(try RunsFolder(folder.path).runs().first)
    #expect(run.warnings == 1 && run.rollbacks == 1)
    #expect(run.json["rollbacks"] == 1)
  }

  @Test(arguments: [
    ([90, 50, 30.1, 30, 30.2, 30.4, 30.3, 31], true), ([90, 50, 40, 35, 33, 31, 30], false),
    ([90, 30], false), ([90, 50, 30, 30.1, 30.2, 30.4, 30.3, 60], false),
    ([0.1, 0.5, 0.9, 0.899, 0.89, 0.88, 0.9, 0.89], true),
  ])
  func `a score that has come to rest is converged, one that falls again is not`(
    scores: [Double],
    isConverged: Bool
  ) throws {
    let folder = try folder()
    let best = scores.contains(90) ? scores.min() : scores.max()
    let lines = scores.enumerated().map {
      #"{"results": {"fid": \#($1)}, "snapshot_pkl": "network-snapshot-00000\#($0).pkl"}"# + "\n"
    }
    try folder.write(Array(lines.joined().utf8), to: "00000-a/metric-fid.jsonl")
    let json = #"{"metric": "fid", "value": \#(best ?? 0), "snapshot": "s.pkl"}"#
    try folder.write(Array(json.utf8), to: "00000-a/best.json")
    let run = try #require(try RunsFolder(folder.path).runs().first)
    #expect(run.isConverged == isConverged)
    #expect(run.state == (isConverged ? .converged : .stopped))
  }

  @Test func `a run with all its images is finished, and runs are found one folder down`() throws {
    let folder = try folder(ticks: 5, total: 4, name: "demo/00000-a")
    let runs = try RunsFolder(folder.path).runs()
    #expect(runs.map(\.name) == ["demo/00000-a"] && runs.first?.state == .finished)
    let one = try RunsFolder(folder.file("demo/00000-a")).runs()
    #expect(one.map(\.name) == ["."] && one.first?.kimg == 4)
  }

  @Test(arguments: ["stats.jsonl", "training_options.json", "best.json"])
  func `a damaged file is one line, and the other runs are there`(name: String) throws {
    let folder = try folder()
    try folder.write(Array("{\"Loss".utf8), to: "00001-b/\(name)")
    try folder.write(Array("{}".utf8), to: "00001-b/training_options.json.txt")
    if name == "best.json" {
      try folder.write(Array("{}".utf8), to: "00001-b/training_options.json")
    }
    let runs = try RunsFolder(folder.path).runs().sorted { $0.name < $1.name }
    #expect(runs.map(\.state) == [.stopped, .damaged])
    #expect(runs.last?.trouble?.contains(name) == true)
    #expect(runs.last?.trouble?.contains("\n") == false)
  }

  @Test func `a folder or a link where a file should be is damage, and is not followed`() throws {
    let folder = try folder()
    try folder.write([1], to: "00001-b/stats.jsonl/x")
    try folder.write(Array("secret".utf8), to: "secret")
    try folder.write(Array("{}".utf8), to: "00002-c/training_options.json")
    symlink(folder.file("secret"), folder.file("00002-c/stats.jsonl"))
    mkfifo(folder.file("00002-c/log.txt"), 0o600)
    let runs = try RunsFolder(folder.path).runs().sorted { $0.name < $1.name }
    #expect(runs.map(\.state) == [.stopped, .damaged, .damaged])
    #expect(runs.allSatisfy { $0.trouble?.contains("secret") != true })
  }

  @Test func `a curve grows with its file, and restarts when the file is truncated`() throws {
    let folder = try folder(ticks: 3)
    let runs = try RunsFolder(folder.path)
    func values() throws -> [Double] {
      try runs.curve("Loss/G/loss", of: "00000-a").points.map(\.value)
    }
    #expect(try values() == [0.5, 1.5, 4.5])
    let path = folder.file("00000-a/stats.jsonl")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    let next = Self.line(tick: 3, kimg: 3, loss: "NaN") + Self.line(tick: 4, kimg: 4, loss: "7.25")
    try handle.write(contentsOf: Data((next + "{\"Loss/G/loss\": {\"num").utf8))
    #expect(try values() == [0.5, 1.5, 4.5, 7.25], "neither NaN nor half a line")
    // Cut by a continued run and written further than before.
    try handle.truncate(atOffset: 0)
    try handle.seek(toOffset: 0)
    let anew = (0..<40).map { Self.line(tick: $0, kimg: Double($0), loss: "\($0).125") }
    try handle.write(contentsOf: Data(anew.joined().utf8))
    #expect(try values() == (0..<40).map { Double($0) + 0.125 })
    folder.remove()
    #expect(throws: (any Error).self) { try values() }
  }

  @Test func `thinning keeps the smallest and largest of each stretch, and ends`() {
    var points = (0..<10_000).map {
      Curve.Point(kimg: Double($0), hours: 0, value: sin(Double($0) / 500))
    }
    points[5003].value = 40
    points[7001].value = -40
    let thin = points.thinned(to: 200)
    #expect(thin.count <= 200)
    #expect(thin.contains { $0.value == 40 } && thin.contains { $0.value == -40 })
    #expect(thin.map(\.kimg) == thin.map(\.kimg).sorted())
    #expect(points.thinned(to: 20_000) == points)
    #expect([Curve.Point]().thinned(to: 2).isEmpty)
  }

  @Test func `smoothing averages the past and keeps a constant`() {
    let constant = (0..<50).map { Curve.Point(kimg: Double($0), hours: 0, value: 3) }
    #expect(constant.smoothed(0.9).allSatisfy { abs($0.value - 3) < 1e-12 })
    let two = [Curve.Point(kimg: 0, hours: 0, value: 0), .init(kimg: 1, hours: 0, value: 3)]
    // (0 · 0.5 · 0.5 + 3 · 0.5) / (0.5 · 0.5 + 0.5)
    #expect(abs(two.smoothed(0.5)[1].value - 2) < 1e-12)
    #expect(two.smoothed(0) == two)
  }

  @Test func `a run of 10,000 ticks opens in under a second`() throws {
    let folder = try TemporaryFolder.inMemory()
    let filler = (0..<40).map {
      "\"Filler/value_\($0)\": {\"num\": 1, \"mean\": 0.5, \"std\": 0.0}"
    }
    .joined(separator: ", ")
    let text = (0..<10_000).map {
      "{" + filler + ", " + Self.line(tick: $0, kimg: Double($0), loss: "\($0)").dropFirst()
    }.joined()
    try folder.write(Array(text.utf8), to: "00000-a/stats.jsonl")
    let runs = try RunsFolder(folder.path)
    // Processor time: other tests run on the same cores.
    let start = Self.processorTime
    let points = try runs.curve("Loss/G/loss", of: "00000-a").points
    let time = Self.processorTime - start
    #expect(points.count == 10_000 && points.last?.value == 9999)
    #expect(time < .seconds(1), "\(time)")
  }

  /// What this thread has computed so far.
  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  @Test func `scores are a curve of their own`() throws {
    let folder = try folder()
    let lines = """
      {"results": {"fd_lite0": 176.5}, "metric": "fd_lite0", "snapshot_pkl": "network-snapshot-000012.pkl"}
      {"results": {"fd_lite0": NaN}, "metric": "fd_lite0", "snapshot_pkl": "network-snapshot-000013.pkl"}
      {"results": {"fd_lite0": 120}, "metric": "fd_lite0", "snapshot_pkl": "network-snapshot-000024.safetensors"}

      """
    try folder.write(Array(lines.utf8), to: "00000-a/metric-fd_lite0.jsonl")
    let runs = try RunsFolder(folder.path)
    let points = try runs.curve("Metrics/fd_lite0", of: "00000-a").points
    #expect(points.map(\.kimg) == [12, 24] && points.map(\.value) == [176.5, 120])
    #expect(throws: RequestError.self) { try runs.curve("Metrics/../x", of: "00000-a") }
    #expect(try RunDetail(folder.file("00000-a")).statistics.first == "Metrics/fd_lite0")
  }

  @Test func `the page gets table, detail, curve and grids, and no other file`() async throws {
    let folder = try folder()
    try folder.write([0x89, 0x50], to: "00000-a/fakes000004.png")
    try folder.write([1], to: "secret.png")
    try await withStudio(runs: folder.path) { client in
      let table = try await client.get("/api/runs")
      guard case .list(let rows)? = table.json?["runs"] else {
        Issue.record("no rows")
        return
      }
      #expect(rows.map { $0["name"] } == ["00000-a"])
      let detail = try await client.get("/api/run?run=00000-a")
      #expect(detail.json?["grids"] == [4])
      #expect(detail.json?["options"]?["total_kimg"] == 10)
      #expect(detail.json?["marks"] != [])
      let curve = try await client.get(
        "/api/curve?run=00000-a&statistic=Loss%2FG%2Floss&points=100&smooth=0.5"
      )
      #expect(curve.json?["count"] == 5)
      let grid = try await client.get("/api/grid?run=00000-a&kimg=4")
      #expect(grid.bytes == [0x89, 0x50] && grid.headers[.contentType] == "image/png")
      for query in [
        "run=..&kimg=4", "run=%2e%2e%2f&kimg=4", "run=00000-a&kimg=../secret", "run=/etc&kimg=4",
        "run=00000-a/../00000-a&kimg=4", "run=00000-a&kimg=5", "run=00000-a&kimg=-4", "kimg=4",
        "run=00000-a", "run=00000-a%00&kimg=4", "run=00000-a&kimg=reals",
      ] {
        let answer = try await client.get("/api/grid?" + query)
        #expect([400, 404].contains(answer.status.code), "\(query)")
        #expect(answer.complaint != nil, "\(query)")
      }
      for query in ["points=1", "points=999999", "smooth=1", "smooth=nan", "smooth=-1"] {
        let path = "/api/curve?run=00000-a&statistic=Loss%2FG%2Floss&" + query
        #expect(try await client.get(path).status == .badRequest, "\(query)")
      }
      folder.remove()
      let gone = try await client.get("/api/runs")
      #expect(gone.status == .notFound && gone.complaint != nil)
      #expect(try await client.get("/api/model").status == .ok)
    }
  }

  @Test func `without a folder the page says how to watch`() async throws {
    let answer = try await withStudio { try await $0.get("/api/runs") }
    #expect(answer.status == .notFound && answer.complaint?.contains("--runs") == true)
  }
}
