import Foundation
import TestSupport
import Testing

/// `nifty train --keep` and how often it scores.
@Suite("Snapshots that the program keeps", .serialized)
struct KeepCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  private func snapshots(_ run: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.path(run))
      .filter { $0.hasPrefix("network-snapshot-") }.sorted()
  }

  private func log(_ run: String) throws -> String {
    try String(contentsOfFile: fixture.path(run + "/log.txt"), encoding: .utf8)
  }

  private static let train = TrainingFixture.train.replacingOccurrences(
    of: "--batch=4",
    with: "--batch=64 --kimg=3.2 --tick=1 --snap=1"
  )

  @Test func `a run says what it takes of the disk and keeps what it is told to, then and later`()
    throws
  {
    let all = try fixture.run(Self.train)
    #expect(all.status == 0, "\(all.errors)")
    let run = try fixture.only("runs")
    // After one step, after each thousand images, rounded up to steps, and at the end.
    let names = try snapshots(run)
    #expect(names.count == 4, "\(names)")
    let size = try #require(
      FileManager.default.attributesOfItem(atPath: fixture.path("\(run)/\(names[0])"))[.size]
        as? Int
    )
    let line = try #require(all.output.split(separator: "\n").first { $0.hasPrefix("disk: ") })
    #expect(line.contains("disk: 4 snapshots of "), "\(line)")
    #expect(line.contains("are free"), "\(line)")
    // The tensors alone are counted: their names are the rest.
    let said = try #require(line.firstMatch(of: /snapshots of ([0-9.]+) kB/)?.1)
    let kilobytes = try #require(Double(said))
    #expect(
      kilobytes * 1000 < Double(size) && kilobytes * 1000 > 0.5 * Double(size),
      "\(line) \(size)"
    )
    #expect(try log(run).contains(line))

    let fewer = try fixture.run("train --continue=\(run) --kimg=4.2 --keep=last:2")
    #expect(fewer.status == 0, "\(fewer.errors)")
    #expect(try snapshots(run).count == 2)
    #expect(fewer.output.contains("removed \(names[0]) (--keep last:2)"), "\(fewer.output)")
    #expect(fewer.output.contains("--keep last:2 leaves at most 2"), "\(fewer.output)")
    let again = try fixture.run("train --continue=\(run) --kimg=4.5")
    #expect(again.status == 0, "\(again.errors)")
    #expect(try snapshots(run).count == 2)
  }

  @Test func `the best by the metric stays, which the run names`() throws {
    let scored = Self.train.replacingOccurrences(
      of: "--metrics=none",
      with: "--metrics=fd_lite0 --metric-images=8"
    )
    let outcome = try fixture.run(scored + " --keep=best:1 --metrics-every=2")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let run = try fixture.only("runs")
    #expect(
      outcome.output.contains("the first of --metrics, fd_lite0, says which snapshots are best")
    )
    let lines = try String(
      contentsOfFile: fixture.path(run + "/metric-fd_lite0.jsonl"),
      encoding: .utf8
    ).split(separator: "\n")
    // Of four snapshots the third and the last: the first has seen one step.
    #expect(lines.count == 2, "\(lines)")
    let best = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: fixture.path(run + "/best.json")))
    )
    let name = try #require((best as? [String: Any])?["snapshot"] as? String)
    let left = try snapshots(run)
    #expect(left.contains(name) && left.count <= 2, "\(left)")
  }

  @Test(arguments: [
    ("--keep=newest:3", 64, "--keep must be all, or last:N, best:M and every:KIMG"),
    ("--keep=best:2 --metrics=none", 1, "best:2 needs a metric"),
    ("--metrics-every=0", 64, "--metrics-every must be between 1 and 1e09 snapshots, not 0"),
  ])
  func `what cannot be kept is refused in one line`(
    flags: String,
    status: Int32,
    expected: String
  ) throws {
    try fixture.expectRefusal(
      of: Self.train + " " + flags,
      status: status,
      expected
    )
    #expect(!FileManager.default.fileExists(atPath: fixture.path("runs")))
  }
}

/// `nifty train` with little memory, and its first lines.
@Suite("Small batches of the program", .serialized)
struct SmallBatchCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  @Test func `groups of one image are computed one by one, and the largest batch is found`() throws
  {
    let few = TrainingFixture.train + " --kimg=0.008 --mbstd-group=1"
    let one = try fixture.run(few + " --batch-gpu=1")
    #expect(one.status == 0, "\(one.errors)")
    #expect(one.output.contains("; 4 images a step, 1 at once"), "\(one.output)")
    #expect(one.output.contains("\nb16.conv0 "), "\(one.output)")
    let all = try fixture.run(few + " --batch-gpu=auto")
    #expect(all.status == 0, "\(all.errors)")
    #expect(all.output.contains("--batch-gpu=auto: 1 image took "), "\(all.output)")
    #expect(all.output.contains("--batch-gpu=auto: 4 of 4 at once"), "\(all.output)")
  }

  @Test(arguments: [
    ("--batch-gpu=2", 64, "a smaller --mbstd-group allows less"),
    ("--batch-gpu=many", 64, "--batch-gpu"),
    ("--mbstd-group=0", 64, "--mbstd-group must be between 1"),
    ("--mbstd-group=3", 64, "--batch must be at most 3 or a multiple of it (--mbstd-group), not 4"),
    (
      "--gpus=2 --mbstd-group=1 --batch-gpu=auto", 1,
      "--batch-gpu=auto searches in one process on a CPU only"
    ),
  ])
  func `what cannot be computed at once is refused`(
    flags: String,
    status: Int32,
    expected: String
  ) throws {
    try fixture.expectRefusal(
      of: TrainingFixture.train + " " + flags,
      status: status,
      expected
    )
  }
}
