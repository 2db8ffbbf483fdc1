import Foundation
import Images
import TestSupport
import Testing
import Torch

/// The program killed, stopped and continued, beside one that was left alone.
@Suite("Resume the program", .serialized)
struct ResumeCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  /// Whether a run has got so far that it can be continued.
  private var hasCheckpoint: Bool {
    let files = FileManager.default
    guard let runs = try? files.contentsOfDirectory(atPath: fixture.path("runs")) else {
      return false
    }
    return runs.contains { (try? checkpoints("runs/\($0)"))?.isEmpty == false }
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: fixture.path(name)))
  }

  private func checkpoints(_ run: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.path(run + "/checkpoint"))
      .filter { $0.hasPrefix("images-") }.sorted()
  }

  /// Everything that must not depend on how often a run was begun.
  private func expectEqual(_ run: String, _ other: String) throws {
    let newest = try #require(checkpoints(run).last)
    #expect(try newest == checkpoints(other).last)
    #expect(
      try bytes("\(run)/checkpoint/\(newest)/tensors.safetensors")
        == bytes("\(other)/checkpoint/\(newest)/tensors.safetensors")
    )
    for name in try FileManager.default.contentsOfDirectory(atPath: fixture.path(run))
    where name.hasSuffix(".png") || name.hasPrefix("network") {
      #expect(try bytes("\(run)/\(name)").count == bytes("\(other)/\(name)").count, "\(name)")
      if name.hasSuffix(".png") {
        #expect(try bytes("\(run)/\(name)") == bytes("\(other)/\(name)"), "\(name)")
      }
    }
    #expect(try statistics(run) == statistics(other))
  }

  /// `stats.jsonl` without times and memory.
  private func statistics(_ run: String) throws -> [NSDictionary] {
    let text = String(decoding: try bytes(run + "/stats.jsonl"), as: UTF8.self)
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return object.filter { key, _ in
        !["Timing", "Resources", "timestamp"].contains { key.hasPrefix($0) }
      } as NSDictionary
    }
  }

  @Test func `killed again and again, the program ends with the same bytes`() throws {
    let length = " --kimg=0.1 --tick=0.02 --snap=2"
    #expect(try fixture.run(TrainingFixture.train + length).status == 0)
    let whole = try fixture.only("runs")
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("whole"))
    let reference = whole.replacingOccurrences(of: "runs/", with: "whole/")

    var line = TrainingFixture.train + length
    var kills = 0
    var random = SystemRandomNumberGenerator()
    while true {
      let process = try fixture.start(line)
      // The first checkpoint must be there: before it there is nothing to go on from.
      while kills == 0, process.isRunning, !hasCheckpoint { usleep(1000) }
      if kills < 8 {
        usleep(UInt32.random(in: 1000..<600_000, using: &random))
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }
      process.waitUntilExit()
      if process.terminationReason == .exit {
        let said = String(decoding: try bytes("output.txt"), as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(said)")
        break
      }
      kills += 1
      line = "train --continue=latest --outdir=runs"
    }
    let run = try fixture.only("runs")
    #expect(kills > 0)
    try expectEqual(reference, run)
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path(run))
    #expect(!names.contains { $0.hasSuffix(".partial") }, "\(names)")
  }

  @Test func `a signal writes a checkpoint and gives status 75; continued, it is the same run`()
    throws
  {
    let length = " --kimg=0.08 --tick=0.02 --snap=2 --checkpoint-minutes=10"
    #expect(try fixture.run(TrainingFixture.train + length).status == 0)
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("whole"))
    var line = TrainingFixture.train + length
    for number in [SIGTERM, SIGINT] {
      let process = try fixture.start(line)
      // Two lines of the log of this session: the signals are listened to.
      let log = {
        let runs = try? FileManager.default.contentsOfDirectory(atPath: fixture.path("runs"))
        return runs?.first.map { contents(of: fixture.path("runs/\($0)/log.txt")) } ?? ""
      }
      let before = log().split(separator: "\n").count
      while process.isRunning, log().split(separator: "\n").count < before + 1 { usleep(1000) }
      usleep(100_000)
      kill(process.processIdentifier, number)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 75)
      let said = String(decoding: try bytes("output.txt"), as: UTF8.self)
      #expect(said.contains("go on with: nifty train --continue runs/"), "\(said)")
      line = "train --continue=\(try fixture.only("runs"))"
    }
    let ended = try fixture.run(line)
    #expect(ended.status == 0, "\(ended.errors)")
    try expectEqual(fixture.only("whole"), fixture.only("runs"))
    let again = try fixture.run(line)
    #expect(again.status == 0 && again.output.contains("the run is complete at 0.080 kimg"))
  }

  @Test func `the console says the device and a line for each tick; prompts are painted`() throws {
    try fixture.folder.write(Array("picture 3\n\nnumber 4\n".utf8), to: "prompts.txt")
    let run = try fixture.run(
      TrainingFixture.train + " --kimg=0.012 --tick=0.004 --snap=1 --prompts=prompts.txt"
    )
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    if Runtime.cudaDevices == 0 { #expect(lines.first == "no CUDA device: training on the CPU") }
    let number = #"[0-9.]+"#
    let names = [
      "tick", "kimg", "time", "sec/tick", "sec/kimg", "maintenance", "cpumem", "gpumem", "augment",
    ]
    let pattern =
      try Regex(names.map { "\($0) \(number)s?" }.joined(separator: "  ") + "  G .*  D .*  left ")
    #expect(lines.count { $0.contains(pattern) } == 3, "\(run.output)")
    // Four pictures of each of two prompts.
    let grid = try RGBImage(contentsOf: fixture.path(fixture.only("runs") + "/fakes000000.png"))
    #expect(grid.width == 4 * 16 && grid.height == 2 * 16)
  }

  @Test func `what may not change is named, what may change is kept`() throws {
    let first = try fixture.run(TrainingFixture.train + " --kimg=0.008")
    #expect(first.status == 0, "\(first.errors)")
    let run = try fixture.only("runs")
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.path(run))
    let snapshot = try #require(names.first { $0.hasPrefix("network") })
    let notes = try SafeTensors(path: fixture.path("\(run)/\(snapshot)")).metadata
    #expect(try notes["nifty_version"].map { $0 + "\n" } == nifty(["--version"]).output)
    let mistakes: [(flags: String, status: Int32, expected: String)] = [
      ("--continue=\(run) --batch=8", 1, "batch_size is 4 there, not 8"),
      ("--continue=\(run) --gamma=3", 1, "loss_kwargs.r1_gamma is"),
      ("--continue=\(run) --seed=1", 1, "random_seed is 0 there, not 1"),
      ("--continue=\(run) --resume=\(run)", 64, "--continue and --resume exclude each other"),
      ("--continue=nowhere", 1, "nowhere is no run folder"),
      ("--continue=latest", 64, "--continue=latest needs --outdir"),
      ("--continue=latest --outdir=pairs", 1, "pairs holds no run with a checkpoint"),
      ("--continue=\(run) --options=x.json", 64, "leave --options out"),
    ]
    for (flags, status, expected) in mistakes {
      let outcome = try nifty(
        ["train"] + flags.split(separator: " ").map(String.init),
        in: fixture.folder.path
      )
      #expect(outcome.status == status && outcome.errors.contains(expected), "\(outcome.errors)")
    }
    let longer = try fixture.run("train --continue=\(run) --kimg=0.012 --checkpoint-minutes=3")
    #expect(longer.status == 0, "\(longer.errors)")
    #expect(try checkpoints(run).last == "images-000000000012")
    let options = try JSONSerialization.jsonObject(with: bytes(run + "/training_options.json"))
    let own = (options as? [String: Any])?["nifty"] as? [String: Any]
    #expect(own?["checkpoint_seconds"] as? Double == 180)
    #expect(try fixture.only("runs") == run)
  }
}
