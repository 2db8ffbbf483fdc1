import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Distributed
@testable import Training

/// A run that was stopped, killed or damaged, beside one that was left alone: equal to the last bit.
@Suite("Resume a run", .serialized)
struct ResumeTests {
  private var whole: RunRecord { get throws { try RunRecord.undisturbed.get() } }

  @Test func `the fixture run covers every feature`() throws {
    let whole = try whole
    #expect(whole.progress.imagesSeen == 84)
    #expect(whole.progress.augmentProbability != 0.1)
    #expect(whole.statistics.count == 4)
    let names = Set(whole.statistics.flatMap(\.keys))
    #expect(names.isSuperset(of: ["Loss/pl_penalty", "Loss/r1_penalty", "Progress/augment"]))
    // Twenty-one steps of 13 mirrored images: the data is begun anew in the middle of a batch.
    #expect(whole.metric.count == 3)
    #expect(whole.tensors["G_opt.steps"] != nil && whole.tensors["pl_mean"] != nil)
    #expect(whole.files.keys.contains { $0.hasPrefix("fakes") })
  }

  @Test(arguments: [[1, 3, 4, 8], [16, 1], [21]])
  func `stopped and continued any number of times it is the same run`(steps: [Int]) throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: steps)
    try whole.expectEqual(tiny.record(folder), "\(steps)")
    let log = try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
    #expect(log.components(separatedBy: "continued at").count - 1 == steps.count)
    #expect(log.components(separatedBy: "tick 2 ").count - 1 == 1)
  }

  @Test func `killed at any moment it is the same run`() throws {
    // The disk as it is at a moment is what a kill leaves.
    var step = 0
    var copies: [String] = []
    let other = try TinyRun()
    let run = try other.session { event in
      guard case .progress = event else { return }
      step += 1
      guard [1, 9, 17].contains(step) else { return }
      let copy = other.folder.file("killed\(step)")
      do {
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        // Its status is not asked for: files vanish while they are copied, as the writer is at work.
        _ = try runProgram(
          "/bin/cp",
          ["-r", Self.only(other.folder.file("runs")), copy + "/run"]
        )
      } catch { Issue.record(error) }
      copies.append(copy + "/run")
    }
    _ = try run.run()
    #expect(copies.count == 3)
    let path = run.folder.path
    withExtendedLifetime(consume run) {}
    try whole.expectEqual(other.record(path), "not killed")
    for copy in copies {
      let ended = try other.run(stoppingAfter: [], continuing: copy)
      try whole.expectEqual(other.record(ended), copy)
      let names = try FileManager.default.contentsOfDirectory(atPath: copy + "/checkpoint")
      #expect(names.allSatisfy { $0.hasPrefix("images-") }, "\(names)")
    }
  }

  private static func only(_ folder: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return try "\(folder)/" + #require(names.first)
  }

  @Test(arguments: [
    ("tensors.safetensors", "flipped"), ("state.json", "cut"), ("manifest.json", "gone"),
  ])
  func `a damaged checkpoint is named, and the one before it taken`(
    file: String,
    damage: String
  ) throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [11, 3], finishing: false)
    let newest = "images-000000000056"
    #expect(try Self.checkpoints(folder).count >= 2 && Self.checkpoints(folder).last == newest)
    try Self.damage("\(folder)/checkpoint/\(newest)/\(file)", damage)
    let ended = try tiny.run(stoppingAfter: [], continuing: folder)
    let log = try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
    #expect(log.contains("\(newest) is damaged ("), "\(log)")
    try whole.expectEqual(tiny.record(ended), "\(file) \(damage)")
  }

  @Test func `damage of any kind in any file of a checkpoint is found`() throws {
    let tiny = try TinyRun(kimg: 0.004)
    let folder = try tiny.run(stoppingAfter: [])
    let path = try "\(folder)/checkpoint/" + #require(Self.checkpoints(folder).last)
    for file in ["tensors.safetensors", "state.json", "manifest.json"] {
      for kind in ["flipped", "cut", "gone"] {
        let copy = tiny.folder.file("\(file)-\(kind)")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        _ = try Checkpoint(at: copy)
        try Self.damage("\(copy)/\(file)", kind)
        let error = #expect(throws: (any Error).self, "\(file) \(kind)") {
          _ = try Checkpoint(at: copy)
        }
        #expect("\(try #require(error))".split(separator: "\n").count == 1)
      }
    }
  }

  @Test func `a state that no run can have is refused by the name of its key`() throws {
    let tiny = try TinyRun(kimg: 0.004)
    let folder = try tiny.run(stoppingAfter: [])
    let path = try "\(folder)/checkpoint/" + #require(Self.checkpoints(folder).last)
    let state = try Checkpoint(at: path).state
    #expect(try RunState(json: state.json) == state)
    typealias Change = (inout RunState) -> Void
    let changes: [(String, Change)] = [
      ("trainer.imagesSeen cannot be -1", { $0.trainer.imagesSeen = -1 }),
      ("trainer.imagesSeen cannot be 92", { $0.trainer.imagesSeen = .max }),
      ("tick.number cannot be 92", { $0.tick.number = .max }),
      ("tick.firstImage is beyond", { $0.tick.firstImage = 1000 }),
      ("logs.log.txt cannot be -5", { $0.logs["log.txt"] = -5 }),
      ("seconds cannot be nan", { $0.seconds = .nan }),
      ("seconds cannot be -inf", { $0.tick.seconds = -.infinity }),
      ("watchdog.rollbacks cannot be", { $0.watchdog.rollbacks = .max }),
      ("augmentProbability cannot be -0.5", { $0.trainer.augmentProbability = -0.5 }),
    ]
    for (expected, change) in changes {
      var changed = state
      change(&changed)
      // It survives the way to the file and back, so that its values are what is refused.
      let read = try RunState(json: changed.json)
      let error = #expect(throws: TrainingError.self) { try read.validate() }
      #expect("\(try #require(error))".contains(expected), "\(error!)")
    }
  }

  private static func checkpoints(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder + "/checkpoint").sorted()
  }

  private static func damage(_ path: String, _ damage: String) throws {
    switch damage {
    case "flipped":
      var bytes = Array(try Data(contentsOf: URL(filePath: path)))
      bytes[bytes.count / 2] ^= 0x10
      try Data(bytes).write(to: URL(filePath: path))
    case "cut": truncate(path, 100)
    default: unlink(path)
    }
  }

  @Test func `with all checkpoints damaged nothing is changed`() throws {
    let tiny = try TinyRun(kimg: 0.008)
    let folder = try tiny.run(stoppingAfter: [])
    let path = folder + "/checkpoint"
    for name in try FileManager.default.contentsOfDirectory(atPath: path) {
      try Self.damage("\(path)/\(name)/tensors.safetensors", "cut")
    }
    let before = try Data(contentsOf: URL(filePath: folder + "/stats.jsonl"))
    let error = #expect(throws: TrainingError.self) { _ = try tiny.session(continuing: folder) }
    #expect("\(try #require(error))".contains("no checkpoint to go on from: checkpoint "))
    #expect(try Data(contentsOf: URL(filePath: folder + "/stats.jsonl")) == before)
  }

  @Test func `a checkpoint of format 1, with CRC-32C, is read and its damage found`() throws {
    let tiny = try TinyRun(kimg: 0.004)
    let folder = try tiny.run(stoppingAfter: [])
    let path = try "\(folder)/checkpoint/" + #require(Self.checkpoints(folder).last)
    let files = try ["state.json", "tensors.safetensors"].map { name in
      let bytes = try Array(Data(contentsOf: URL(filePath: "\(path)/\(name)")))
      let digits = String(bytes.withUnsafeBytes(CRC32C.of), radix: 16)
      let checksum = String(repeating: "0", count: 8 - digits.count) + digits
      return "\"\(name)\": {\"bytes\": \(bytes.count), \"crc32c\": \"\(checksum)\"}"
    }
    try "{\"format\": 1, \"images_seen\": 4, \"files\": {\(files.joined(separator: ", "))}}"
      .write(toFile: "\(path)/manifest.json", atomically: true, encoding: .utf8)
    _ = try Checkpoint(at: path)
    try Self.damage("\(path)/state.json", "flipped")
    let error = #expect(throws: TrainingError.self) { _ = try Checkpoint(at: path) }
    #expect("\(try #require(error))".contains("the checksum of state.json differs"))
  }

  @Test func `a checkpoint of a newer nifty is named, not put aside as damaged`() throws {
    let tiny = try TinyRun(kimg: 0.008)
    let folder = try tiny.run(stoppingAfter: [])
    let newest = try #require(Self.checkpoints(folder).last)
    let manifest = "\(folder)/checkpoint/\(newest)/manifest.json"
    let text = try String(contentsOfFile: manifest, encoding: .utf8)
    try text.replacingOccurrences(of: "\"format\" : 2", with: "\"format\" : 3")
      .write(toFile: manifest, atomically: true, encoding: .utf8)
    let error = #expect(throws: TrainingError.self) { _ = try tiny.session(continuing: folder) }
    let words = "\(try #require(error))"
    #expect(words.contains("manifest.json has format 3, this version reads formats 1 and 2"))
    #expect(try Self.checkpoints(folder).last == newest)
  }

  @Test func `a run that was killed before its first checkpoint starts over in its folder`() throws
  {
    let tiny = try TinyRun()
    // The folder is made before the first checkpoint.
    let folder = try tiny.session().folder.path
    #expect(try Self.checkpoints(folder).isEmpty)
    let ended = try tiny.run(stoppingAfter: [], continuing: folder)
    #expect(ended == folder)
    try whole.expectEqual(tiny.record(folder), "anew")
    let log = try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
    #expect(log.hasPrefix("begun anew: there is no checkpoint yet\n"), "\(log)")
  }

  @Test func `a run whose checkpoints are gone is refused, and nothing of it is touched`() throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [9], finishing: false)
    try FileManager.default.removeItem(atPath: "\(folder)/checkpoint")
    let names = { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
    let (before, log) = (try names(), try Data(contentsOf: URL(filePath: folder + "/log.txt")))
    let error = #expect(throws: TrainingError.self) { _ = try tiny.session(continuing: folder) }
    let snapshot = "\(folder)/network-snapshot-000000.safetensors"
    #expect(
      "\(try #require(error))"
        == "\(folder) has snapshots but no checkpoint to go on from; start a new run with "
        + "--resume=\(snapshot)"
    )
    try FileManager.default.removeItem(atPath: snapshot)
    let other = #expect(throws: TrainingError.self) { _ = try tiny.session(continuing: folder) }
    #expect("\(try #require(other))".contains("has statistics but no checkpoint"))
    #expect(try names() == before.filter { $0 != "network-snapshot-000000.safetensors" })
    #expect(try Data(contentsOf: URL(filePath: folder + "/log.txt")) == log)
  }

  @Test func `data that has changed under its name is refused; the same data elsewhere is not`()
    throws
  {
    var tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [3], finishing: false)
    let path = tiny.options.data[0]
    let bytes = try Data(contentsOf: URL(filePath: path))
    // Other captions of the same length: as many images, and the same size.
    try FileManager.default.removeItem(atPath: path)
    try TinyRun.pack(path, captions: "Caption")
    #expect(try Data(contentsOf: URL(filePath: path)).count == bytes.count)
    let error = #expect(throws: TrainingError.self) { _ = try tiny.session(continuing: folder) }
    #expect("\(try #require(error))".contains("\(path) has changed since"), "\(error!)")
    let moved = tiny.folder.file("moved.zip")
    try bytes.write(to: URL(filePath: moved))
    tiny.options.data = [moved]
    _ = try tiny.run(stoppingAfter: [], continuing: folder)
    try whole.expectEqual(tiny.record(folder), "moved")
  }

  @Test func `a file beside the data that has changed is refused; the same elsewhere is not`()
    throws
  {
    let tiny = try TinyRun()
    func file(_ path: String, _ digest: String, _ option: String = "--text-corpus") -> FileIdentity
    {
      FileIdentity(option: option, path: path, digest: digest)
    }
    let clip = file("clip.pt", "a", "--clip")
    let stop = StopRequest()
    let first = try tiny.session(files: [clip, file("texts.txt", "b")], stop: stop) { _ in
      stop.request()
    }
    #expect(try first.run() == .interrupted)
    let folder = first.folder.path
    let error = #expect(throws: TrainingError.self) {
      _ = try tiny.session(continuing: folder, files: [clip, file("texts.txt", "c")])
    }
    #expect("\(try #require(error))".contains("another --text-corpus: texts.txt has changed since"))
    #expect(throws: TrainingError.self) {
      _ = try tiny.session(
        continuing: folder,
        files: [file("clip.pt", "d", "--clip"), file("texts.txt", "b")]
      )
    }
    _ = try tiny.session(continuing: folder, files: [clip, file("elsewhere.txt", "b")])
  }

  @Test func `a state of an earlier version knows nothing of its data`() throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [3], finishing: false)
    let newest = try #require(
      try CheckpointFolder(folder + "/checkpoint").newest(onDamage: { _ in })
    )
    var state = newest.state
    #expect(state.data?.count == 1 && state.files?.isEmpty == true)
    (state.data, state.files) = (nil, nil)
    #expect(try RunState(json: state.json) == state && !(try state.json).contains("directory"))
  }

  @Test func `a finished run goes on with more images, and other data is refused`() throws {
    var tiny = try TinyRun(kimg: 0.04)
    let folder = try tiny.run(stoppingAfter: [])
    var lines: [String] = []
    let ending = try tiny.session(continuing: folder) { event in
      if case .line(let text) = event { lines.append(text) }
    }.run()
    #expect(ending == .finished)
    #expect(lines.contains { $0.contains("the run is complete at 0.040 kimg") })
    tiny.options.kimg = 0.084
    tiny.options.imageCount = 14
    let error = #expect(throws: TrainingError.self) {
      _ = try tiny.session(continuing: folder)
    }
    #expect("\(try #require(error))".contains("its data has changed"))
    tiny.options.imageCount = TinyRun.imageCount
    _ = try tiny.run(stoppingAfter: [], continuing: folder)
    let longer = try tiny.record(folder)
    #expect(try longer.tensors == whole.tensors && longer.progress == whole.progress)
  }

  @Test func `two processes cannot go on with one run`() throws {
    let tiny = try TinyRun(kimg: 0.02)
    let first = try tiny.session()
    let error = #expect(throws: FileError.self) {
      _ = try tiny.session(continuing: first.folder.path)
    }
    #expect("\(try #require(error))".contains("is using it"))
    withExtendedLifetime(first) {}
  }

  @Test func `scores that somebody measured meanwhile stay, those that come again do not`() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("{}", to: folder.file("training_options.json"))
    let log = RunLog(try RunFolder(existing: folder.path), metrics: ["m"])
    try log.append("a", to: "stats.jsonl")
    let line = { (kimg: Int) in "{\"snapshot_pkl\": \"network-snapshot-00000\(kimg).pkl\"}" }
    try log.append(line(1), to: "metric-m.jsonl")
    let sizes = log.sizes
    try log.append("b", to: "stats.jsonl")
    try log.append("c", to: "log.txt")
    for kimg in [1, 3, 2] { try log.append(line(kimg), to: "metric-m.jsonl") }
    #expect(try log.cut(to: sizes, imagesSeen: 3_000) == [])
    let read = { try String(contentsOfFile: folder.file($0), encoding: .utf8) }
    #expect(try read("stats.jsonl") == "a\n")
    #expect(try read("log.txt") == "")
    #expect(try read("metric-m.jsonl") == [1, 1, 2].map { line($0) + "\n" }.joined())
    #expect(try log.cut(to: ["stats.jsonl": 5], imagesSeen: 0)[0].contains("lost its last 3 bytes"))
  }
}
