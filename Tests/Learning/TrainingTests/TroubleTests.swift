import Datasets
import Files
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Distributed
@testable import Training

/// A run in trouble: what it says, what it saves, and what it leaves alone.
@Suite("Trouble in a run", .serialized)
struct TroubleTests {
  private var whole: RunRecord { get throws { try RunRecord.undisturbed.get() } }

  private func log(_ folder: String) throws -> String {
    try String(contentsOfFile: folder + "/log.txt", encoding: .utf8)
  }

  @Test(.enabled(if: SmallDisk.isAvailable, SmallDisk.reason))
  func `a disk without space for the first checkpoint ends the run at its beginning`() throws {
    var tiny = try TinyRun()
    let disk = tiny.folder.file("disk")
    mkdir(disk, 0o755)
    try #require(try SmallDisk.mount(disk, kilobytes: 64))
    defer { SmallDisk.unmount(disk) }
    tiny.options.outdir = disk + "/runs"
    var steps = 0
    let run = try tiny.session { event in
      guard case .progress = event else { return }
      // The checkpoint is written beside the steps.
      usleep(200_000)
      steps += 1
    }
    let error = #expect(throws: TrainingError.self) { _ = try run.run() }
    let said = "\(try #require(error))"
    #expect(said.contains("the first checkpoint could not be written"), "\(said)")
    #expect(said.contains("No space left on device") && !said.contains("\n"), "\(said)")
    #expect(steps < 5)
  }

  @Test(.enabled(if: SmallDisk.isAvailable, SmallDisk.reason))
  func `a full disk is reported and survived, and nothing is lost when there is space again`()
    throws
  {
    var tiny = try TinyRun()
    let disk = tiny.folder.file("disk")
    mkdir(disk, 0o755)
    try #require(try SmallDisk.mount(disk, kilobytes: 3 << 10))
    defer { SmallDisk.unmount(disk) }
    tiny.options.outdir = disk + "/runs"
    let filler = disk + "/filler"
    var lines: [String] = []
    var step = 0
    let run = try tiny.session { event in
      if case .line(let text) = event { lines.append(text) }
      guard case .progress = event else { return }
      step += 1
      if step == 4 {
        let fill = open(filler, O_WRONLY | O_CREAT, 0o644)
        let page = [UInt8](repeating: 1, count: 4096)
        while write(fill, page, page.count) > 0 {}
        close(fill)
        // The line of the next tick does not fit into the last page either.
        let log = open(disk + "/pad", O_WRONLY | O_CREAT, 0o644)
        while write(log, page, 1) > 0 {}
        close(log)
      }
      if step == 17 {
        unlink(filler)
        unlink(disk + "/pad")
      }
    }
    #expect(try run.run() == .finished)
    let said = lines.joined(separator: "\n")
    #expect(
      said.contains("No space left on device") && said.contains("training goes on"),
      "\(said)"
    )
    // Pictures and snapshots of the time in between are missing; all numbers are there.
    let record = try tiny.record(run.folder.path)
    #expect(try record.tensors == whole.tensors && record.statistics == whole.statistics)
    #expect(try log(run.folder.path).contains("tick 2 "))
  }

  @Test func `a run whose last snapshot cannot be written ends with an error and its checkpoint`()
    throws
  {
    let tiny = try TinyRun()
    var blocked = ""
    let run = try tiny.session { event in
      guard case .progress = event, blocked.isEmpty else { return }
      let names = try? FileManager.default.contentsOfDirectory(atPath: tiny.options.outdir)
      guard let name = names?.first else { return }
      let snapshot = RunFolder.numbered(
        "network-snapshot-",
        imagesSeen: Int(tiny.options.kimg * 1000),
        "." + tiny.options.snapshotFormat.rawValue
      )
      blocked = "\(tiny.options.outdir)/\(name)/\(snapshot)"
      mkdir(blocked, 0o755)
    }
    let error = #expect(throws: TrainingError.self) { try run.run() }
    let said = error.map { "\($0)" } ?? ""
    #expect(
      said.hasPrefix("the last snapshot was not written (cannot write \(blocked): "),
      "\(said)"
    )
    #expect(said.contains("nifty train --continue \(run.folder.path) with a larger --kimg"))
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: run.folder.path + "/checkpoint"
    )
    #expect(checkpoints.contains { $0.hasPrefix("images-") })
    let ending = try String(contentsOfFile: run.folder.file("ending.json"), encoding: .utf8)
    #expect(ending.contains("failed"))
  }

  @Test func `a run whose folder is gone stops with the reason`() throws {
    let tiny = try TinyRun()
    var step = 0
    let run = try tiny.session { event in
      guard case .progress = event else { return }
      step += 1
      guard step == 5 else { return }
      // A checkpoint that is being written may put a file in while the folder is emptied.
      while FileManager.default.fileExists(atPath: tiny.options.outdir) {
        try? FileManager.default.removeItem(atPath: tiny.options.outdir)
      }
    }
    let error = #expect(throws: (any Error).self) { _ = try run.run() }
    #expect("\(try #require(error))".contains("No such file or directory"), "\(error!)")
    #expect(!FileManager.default.fileExists(atPath: tiny.options.outdir))
  }

  @Test func `an unreadable image stops the run by name, and once repaired it continues`() throws {
    let tiny = try TinyRun()
    let folder = try tiny.run(stoppingAfter: [5], finishing: false)
    let path = tiny.options.data[0]
    let whole = try Data(contentsOf: URL(filePath: path))
    // The middle of the archive is in some image: fourteen times as long as its directory.
    var damaged = whole
    for offset in damaged.count / 3..<damaged.count / 3 + 600 { damaged[offset] ^= 0x55 }
    try damaged.write(to: URL(filePath: path))
    let error = #expect(throws: TrainingError.self) {
      _ = try tiny.run(stoppingAfter: [], continuing: folder)
    }
    let reason = "\(try #require(error))"
    #expect(reason.contains("data.zip") && reason.contains(".png"), "\(reason)")
    #expect(reason.contains("nifty train --continue \(folder)"), "\(reason)")
    try whole.write(to: URL(filePath: path))
    let ended = try tiny.run(stoppingAfter: [], continuing: folder)
    try self.whole.expectEqual(tiny.record(ended), "repaired")
  }

  /// CLIP features that are no numbers in the calls of a range.
  private func broken(_ calls: Range<Int>) -> (Tensor) -> Tensor {
    let encode = tinyEncoder()
    var count = 0
    return { image in
      count += 1
      let features = encode(image)
      return calls.contains(count) ? features * Double.nan : features
    }
  }

  @Test func `a NaN loss stops the run before a checkpoint is written`() throws {
    let tiny = try TinyRun()
    let run = try tiny.session(encodeImage: broken(12..<100))
    let error = #expect(throws: TrainingError.self) { _ = try run.run() }
    let reason = "\(try #require(error))"
    #expect(reason.contains("at 0.048 kimg Loss/G/loss is nan"), "\(reason)")
    #expect(reason.contains("--on-collapse=rollback"))
    let folder = run.folder.path
    withExtendedLifetime(consume run) {}
    let ended = try tiny.run(stoppingAfter: [], continuing: folder)
    try whole.expectEqual(tiny.record(ended), "continued")
  }

  @Test func `rolled back, a run goes on from the checkpoint before with half the learning rates`()
    throws
  {
    var tiny = try TinyRun()
    tiny.options.collapsePolicy = .rollback
    let run = try tiny.session(encodeImage: broken(12..<13))
    #expect(try run.run() == .finished)
    let record = try tiny.record(run.folder.path)
    #expect(record.progress.learningRateFactor == 0.5)
    #expect(record.progress.imagesSeen == 84)
    #expect(try record.tensors != whole.tensors)
    #expect(
      try record.statistics.map { $0["Progress/kimg"] }
        == whole.statistics.map { $0["Progress/kimg"] }
    )
    let log = try log(run.folder.path)
    #expect(
      log.contains("Loss/G/loss is nan; back to 0.0") && log.contains("with 0.5 times"),
      "\(log)"
    )
  }

  @Test func `where a rollback does not help, the next one goes back further`() throws {
    var tiny = try TinyRun()
    tiny.options.collapsePolicy = .rollback
    let run = try tiny.session(encodeImage: broken(12..<100))
    let error = #expect(throws: TrainingError.self) { _ = try run.run() }
    #expect("\(try #require(error))".contains("given up after 5 rollbacks"), "\(error!)")
    let log = try log(run.folder.path)
    let targets = log.components(separatedBy: "back to ").dropFirst()
      .compactMap { Double($0.prefix { $0 != " " }) }
    #expect(targets.count == 5 && targets == targets.sorted(by: >), "\(targets)")
    #expect(Set(targets).count > 1, "\(targets)")
  }

  @Test func `the best snapshot outlives a rollback to before it`() throws {
    var tiny = try TinyRun()
    tiny.options.collapsePolicy = .rollback
    let run = try tiny.session()
    #expect(try run.run() == .finished)
    var best = try #require(run.snapshots.best)
    // The last one is the best, and the newest checkpoint that is left is from before it.
    best.imagesSeen = 84
    best.snapshot = "network-snapshot-000000.safetensors"
    try run.snapshots.remember(best)
    let bytes = try Data(contentsOf: URL(filePath: run.folder.file(best.snapshot)))
    try FileManager.default.removeItem(
      atPath: run.folder.file("checkpoint/images-000000000084")
    )
    #expect(try run.respond(to: [.notFinite("Loss/G/loss", .nan)]))
    #expect(run.trainer.imagesSeen < 84)
    let kept = try #require(run.snapshots.best)
    #expect(kept.snapshot == "rolled-back-1-network-snapshot-000000.safetensors")
    #expect(kept.value == best.value)
    #expect(try Data(contentsOf: URL(filePath: run.folder.file(kept.snapshot))) == bytes)
    let json = try String(contentsOfFile: run.folder.file("best.json"), encoding: .utf8)
    #expect(json.contains(kept.snapshot), "\(json)")
  }

  private func tinyRun(atRate rate: Double) throws -> TinyRun {
    var tiny = try TinyRun(kimg: 2)
    tiny.options.trainer.generatorOptimizer.learningRate = rate
    tiny.options.trainer.augmentation = nil
    tiny.options.collapsePolicy = .rollback
    return tiny
  }

  /// Even a 32nd of the lower rate spoils the first step.
  @Test(arguments: [1e6, 1e20])
  func `a learning rate that is far too high is noticed and given up`(rate: Double) throws {
    let tiny = try tinyRun(atRate: rate)
    let run = try tiny.session(metrics: [])
    let error = #expect(throws: TrainingError.self) { _ = try run.run() }
    #expect("\(try #require(error))".contains("given up after 5 rollbacks"), "\(error!)")
    let log = try log(run.folder.path)
    #expect(log.contains("with 0.03125 times the learning rates"), "\(log)")
  }

  /// Whether an eighth of it goes well hangs on the last bits.
  @Test func `a learning rate that is too high is halved until it goes well or is given up`() throws
  {
    let tiny = try tinyRun(atRate: 1e4)
    let run = try tiny.session(metrics: [])
    switch Result(catching: { try run.run() }) {
    case .success(let ending): #expect(ending == .finished)
    case .failure(let error): #expect("\(error)".contains("given up after 5 rollbacks"), "\(error)")
    }
    let log = try log(run.folder.path)
    #expect(log.contains("with 0.25 times the learning rates"), "\(log)")
  }

  @Test func `a generator that paints one picture for everything is noticed`() throws {
    for policy in [CollapsePolicy.warn, .stop, .rollback] {
      var tiny = try TinyRun()
      tiny.options.collapsePolicy = policy
      var trainer: Trainer?
      var sabotaged = false
      let run = try tiny.session { event in
        guard case .progress = event, let trainer, trainer.imagesSeen == 40, !sabotaged else {
          return
        }
        sabotaged = true
        withoutGradients {
          for entry in trainer.generator.state where entry.name.contains("torgb") {
            entry.tensor.fill(0)
          }
        }
      }
      trainer = run.trainer
      switch policy {
      case .warn:
        #expect(try run.run() == .finished)
        #expect(
          try log(run.folder.path).contains("warning: at 0.060 kimg the generator paints nearly")
        )
      case .stop:
        let error = #expect(throws: TrainingError.self) { _ = try run.run() }
        #expect("\(try #require(error))".contains("the best snapshot is network-snapshot-000000"))
      case .rollback:
        #expect(try run.run() == .finished)
        #expect(try tiny.record(run.folder.path).progress.learningRateFactor == 0.5)
      }
    }
  }

  @Test func `a score that got much worse takes the run back to its best snapshot`() throws {
    var tiny = try TinyRun(kimg: 0.14)
    tiny.options.collapsePolicy = .rollback
    var scores = [9.0, 4, 9, 4, 3, 3, 3, 3]
    let metric = SnapshotMetric("made") { _, snapshot in
      let value = scores.removeFirst()
      return .init(
        line: "{\"results\": {\"made\": \(value)}, \"snapshot_pkl\": \"\(snapshot)\"}",
        value: value,
        prefersLarge: false
      )
    }
    let run = try tiny.session(metrics: [metric])
    #expect(try run.run() == .finished)
    let log = try log(run.folder.path)
    #expect(log.contains("at 0.116 kimg made is 9, the best was 4; back to 0.060 kimg"), "\(log)")
    // The second best score is that of the best snapshot, computed once more.
    let best = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(filePath: run.folder.file("best.json")))
      ) as? [String: Any]
    )
    #expect(best["metric"] as? String == "made" && best["value"] as? Double == 3)
    #expect(best["images_seen"] as? Int == 116 || best["images_seen"] as? Int == 140)
  }
}
