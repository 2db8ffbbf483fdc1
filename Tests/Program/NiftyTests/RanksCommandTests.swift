import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Distributed

/// One run in several real processes.
@Suite("Ranks of the program", .serialized)
struct RanksCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  static let train =
    TrainingFixture.train.replacingOccurrences(of: "--batch=4", with: "--batch=24")
    .replacingOccurrences(of: "--checkpoint-minutes=0.001", with: "--checkpoint-minutes=10")
    + " --gamma=2 --ema=5 --tick=0.048 --snap=1 --rank-timeout=5"

  /// Starts any program in the fixture's folder; what it prints goes to a file.
  private func start(
    _ arguments: [String],
    _ variables: [String: String] = [:],
    output: String
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: arguments[0])
    process.arguments = Array(arguments.dropFirst())
    process.currentDirectoryURL = URL(filePath: fixture.folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
    _ = FileManager.default.createFile(atPath: fixture.path(output), contents: nil)
    let handle = try FileHandle(forWritingTo: URL(filePath: fixture.path(output)))
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process
  }

  private func words(_ line: String) -> [String] {
    line.split(separator: " ").map(String.init)
  }

  /// What a file says so far: nothing while it is not there.
  private func text(_ name: String) -> String { contents(of: fixture.path(name)) }

  private func read(_ name: String) throws -> String {
    try String(contentsOfFile: fixture.path(name), encoding: .utf8)
  }

  /// The means of the losses, a tick after the other.
  private func losses(_ runs: String) throws -> [[String: Double]] {
    try read(fixture.only(runs) + "/stats.jsonl").split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return object.filter { $0.key.hasPrefix("Loss/") }
        .compactMapValues { ($0 as? [String: Double])?["mean"] }
    }
  }

  /// The scores of the snapshots, in order.
  private func scores(_ runs: String) throws -> [Double] {
    try read(fixture.only(runs) + "/metric-fd_lite0.jsonl").split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require((object?["results"] as? [String: Double])?["fd_lite0"])
    }
  }

  private func expectClose(_ runs: String, _ other: String) throws {
    let (own, expected) = (try losses(runs), try losses(other))
    #expect(own.count == expected.count && !own.isEmpty)
    for (a, b) in zip(own, expected) {
      #expect(a.keys == b.keys)
      for (name, value) in b {
        let found = a[name] ?? .nan
        #expect(abs(found - value) <= 0.02 * abs(value) + 0.02, "\(name): \(found), not \(value)")
      }
    }
  }

  private func wait(_ seconds: Double = 60, until isTrue: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if isTrue() { return true }
      usleep(5000)
    }
    return false
  }

  /// The processes that a launcher has started.
  private func children(_ launcher: Process) -> [pid_t] {
    let id = launcher.processIdentifier
    let listed = (try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8))
    return (listed ?? "").split(separator: " ").compactMap { pid_t($0) }
  }

  @Test func `two and three processes take the steps of one, and another number goes on`() throws {
    let scored = Self.train.replacingOccurrences(of: "--metrics=none", with: "--metrics=fd_lite0")
    let train = scored + " --metric-images=40 --kimg=0.144"
    #expect(try fixture.run(train).status == 0)
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("alone"))
    for count in [2, 3] {
      let outcome = try fixture.run(train + " --gpus=\(count)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      try expectClose("runs", "alone")
      let (own, expected) = (try scores("runs"), try scores("alone"))
      #expect(own.count == expected.count && !own.isEmpty)
      for (a, b) in zip(own, expected) { #expect(abs(a - b) < 0.02 * b, "\(a), not \(b)") }
      #expect(
        try read(fixture.only("runs") + "/metric-fd_lite0.jsonl").contains("\"num_gpus\": \(count)")
      )
      #expect(try fixture.only("runs").contains("-gpus\(count)-"))
      if count == 2 { try FileManager.default.removeItem(atPath: fixture.path("runs")) }
    }
    let longer = try fixture.run(
      "train --continue=\(try fixture.only("runs")) --gpus=2 --kimg=0.192"
    )
    #expect(longer.status == 0, "\(longer.errors)")
    #expect(longer.output.contains("continued at 0.144 kimg"))
    #expect(try losses("runs").count == 5)
  }

  /// The newest checkpoint's tensors, and `stats.jsonl` without times and memory.
  private func outcome(_ runs: String) throws -> (tensors: Data, statistics: [NSDictionary]) {
    let run = try fixture.only(runs)
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: fixture.path(run + "/checkpoint")
    )
    let newest = try #require(checkpoints.filter { $0.hasPrefix("images-") }.max())
    let tensors = fixture.path("\(run)/checkpoint/\(newest)/tensors.safetensors")
    let lines = try read(run + "/stats.jsonl").split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return object.filter { key, _ in
        !["Timing", "Resources", "timestamp"].contains { key.hasPrefix($0) }
      } as NSDictionary
    }
    return (try Data(contentsOf: URL(filePath: tensors)), lines)
  }

  @Test func `two processes killed again and again end with the bytes of two left alone`() throws {
    let train =
      Self.train.replacingOccurrences(
        of: "--checkpoint-minutes=10",
        with: "--checkpoint-minutes=0.001"
      ) + " --snap=2 --kimg=0.48 --gpus=2"
    #expect(try fixture.run(train).status == 0)
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("whole"))
    var line = train
    var kills = 0
    while true {
      let launcher = try start([try program()] + words(line), output: "output.txt")
      if kills < 4 {
        #expect(wait { !launcher.isRunning || text("output.txt").contains("run folder runs/") })
        usleep(.random(in: 1000..<2_000_000))
        // Either rank, or both at once with their launcher.
        for child in children(launcher).shuffled().prefix(.random(in: 1...2)) {
          kill(child, SIGKILL)
        }
      }
      launcher.waitUntilExit()
      if launcher.terminationStatus == 0 { break }
      kills += 1
      try #require(kills < 10, "\(text("output.txt"))")
      line = "train --continue=latest --outdir=runs"
    }
    #expect(kills > 0)
    let (own, expected) = (try outcome("runs"), try outcome("whole"))
    #expect(own.tensors == expected.tensors)
    #expect(own.statistics == expected.statistics)
  }

  @Test func `an interrupted score is recomputed from the trained network`()
    throws
  {
    let scored = Self.train.replacingOccurrences(of: "--metrics=none", with: "--metrics=fd_lite0")
    let train = scored + " --metric-images=150 --kimg=0.096 --gpus=2"
    #expect(try fixture.run(train).status == 0)
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("whole"))
    let launcher = try start([try program()] + words(train), output: "output.txt")
    // The third snapshot has been written: it is being scored.
    #expect(wait { text("output.txt").contains("tick 2 ") })
    usleep(200_000)
    launcher.interrupt()
    launcher.waitUntilExit()
    #expect(launcher.terminationStatus == 75, "\(text("output.txt"))")
    let again = try fixture.run("train --continue=latest --outdir=runs")
    #expect(again.status == 0, "\(again.errors)")
    let (own, expected) = (try scores("runs"), try scores("whole"))
    #expect(own == expected)
  }

  @Test func `NCCL carries a run where it is there, and a rank that dies is noticed`() throws {
    let library = ["NIFTY_NCCL": try StandInNCCL.library.get()]
    #expect(try fixture.run(Self.train + " --kimg=0.096").status == 0)
    try FileManager.default.moveItem(atPath: fixture.path("runs"), toPath: fixture.path("alone"))
    let together = try start(
      [try program()] + words(Self.train + " --kimg=0.096 --gpus=2"),
      library,
      output: "together.txt"
    )
    together.waitUntilExit()
    #expect(together.terminationStatus == 0, "\(text("together.txt"))")
    #expect(text("together.txt").contains("2 processes, which sum over NCCL"))
    try expectClose("runs", "alone")

    let launcher = try start(
      [try program()] + words(Self.train + " --kimg=1000 --gpus=2"),
      library,
      output: "output.txt"
    )
    #expect(wait { text("output.txt").contains("tick 1 ") })
    let ranks = children(launcher)
    try #require(ranks.count == 2)
    kill(ranks[1], SIGKILL)
    #expect(wait { !launcher.isRunning })
    launcher.waitUntilExit()
    #expect(
      text("output.txt").contains("rank 1 died or hangs, or the network is cut, seen by rank 0: "),
      "\(text("output.txt"))"
    )
  }

  @Test func `a batch that cannot be shared is refused`() throws {
    for (flags, expected) in [
      ("--gpus=5", "--batch must be a multiple of 20, not 24: 5 processes"),
      ("--gpus=0", "--gpus must be between 1 and 4096, not 0"),
      ("--gpus=2 --batch-gpu=5", "--batch-gpu must divide 12"),
      ("--gpus=2 --batch-gpu=4", "ok"), ("--rank-timeout=0", "--rank-timeout must be above 0"),
    ] {
      let outcome = try nifty(
        words(Self.train + " --kimg=0.024 --dry-run " + flags),
        in: fixture.folder.path
      )
      #expect((outcome.status == 0) == (expected == "ok"), "\(flags): \(outcome.errors)")
      if expected != "ok" { #expect(outcome.errors.contains(expected), "\(outcome.errors)") }
    }
  }

  @Test(arguments: [(1, SIGKILL), (0, SIGKILL), (1, SIGSTOP)])
  func `a rank that dies or hangs stops the others, and is named`(
    rank: Int,
    signal: Int32
  ) throws {
    let launcher = try start(
      [try program()] + words(Self.train + " --kimg=1000 --gpus=2"),
      output: "output.txt"
    )
    #expect(wait { text("output.txt").contains("tick 1 ") })
    let ranks = children(launcher)
    try #require(ranks.count == 2)
    kill(ranks[rank], signal)
    #expect(wait { !launcher.isRunning })
    launcher.waitUntilExit()
    #expect(launcher.terminationStatus != 0)
    let said = text("output.txt")
    #expect(
      said.contains("rank \(rank) died or hangs, or the network is cut, seen by rank \(1 - rank)"),
      "\(said)"
    )
    let advice =
      "rank \(rank) was killed by signal 9, as the kernel does when memory runs out: lower --batch"
    #expect(said.contains(advice) == (signal == SIGKILL), "\(said)")
    #expect(ranks.allSatisfy { kill($0, 0) != 0 })
    let again = try fixture.run("train --continue=latest --outdir=runs --gpus=2 --kimg=0.096")
    #expect(again.status == 0, "\(again.errors)")
  }

  @Test func `a signal to the launcher is a checkpoint and status 75 for all`() throws {
    let launcher = try start(
      [try program()] + words(Self.train + " --kimg=1000 --gpus=2"),
      output: "output.txt"
    )
    #expect(wait { text("output.txt").contains("tick 1 ") })
    launcher.interrupt()
    launcher.waitUntilExit()
    #expect(launcher.terminationStatus == 75)
    #expect(text("output.txt").contains("go on with: nifty train --continue runs/"))
  }

  @Test func `what a rank cannot read ends all, with the name of the image`() throws {
    let launcher = try start(
      [try program()] + words(Self.train + " --kimg=1000 --gpus=2"),
      output: "output.txt"
    )
    #expect(wait { text("output.txt").contains("tick 1 ") })
    let zip = try FileHandle(forWritingTo: URL(filePath: fixture.path("data.zip")))
    try zip.seek(toOffset: 200)
    try zip.write(contentsOf: Data(repeating: 0xAB, count: 2000))
    try zip.close()
    #expect(wait { !launcher.isRunning })
    launcher.waitUntilExit()
    let said = text("output.txt")
    #expect(launcher.terminationStatus == 1)
    #expect(said.contains("data.zip") && said.contains(".webp"), "\(said)")
  }

  @Test func `torchrun's variables start a run without a launcher`() throws {
    let port = try Rendezvous.freePort()
    let ranks = try (0..<2).map { rank in
      try start(
        [try program()] + words(Self.train + " --kimg=0.048"),
        [
          "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "\(rank)",
          "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        ],
        output: "rank\(rank).txt"
      )
    }
    for rank in ranks { rank.waitUntilExit() }
    #expect(ranks.allSatisfy { $0.terminationStatus == 0 }, "\(text("rank0.txt"))")
    #expect(try read("rank0.txt").contains("tick 1 ") && read("rank1.txt").isEmpty)
    #expect(try fixture.only("runs").contains("-gpus2-"))
  }

  @Test(.enabled(if: Tools.hasMPI, "scripts/setup --tests installs mpirun"))
  func `mpirun starts a run`() throws {
    let mpirun = "/usr/bin/mpirun"
    let line = "--allow-run-as-root --oversubscribe -n 2"
    let run = try start(
      [mpirun] + words(line) + [try program()] + words(Self.train + " --kimg=0.048"),
      ["MASTER_PORT": "\(try Rendezvous.freePort())", "OMPI_MCA_plm": "isolated"],
      output: "mpi.txt"
    )
    run.waitUntilExit()
    #expect(run.terminationStatus == 0, "\(text("mpi.txt"))")
    #expect(try fixture.only("runs").contains("-gpus2-"), "\(text("mpi.txt"))")
  }

  @Test(.enabled(if: ClusterTests.hasSlurm, "takes root, and scripts/setup --tests"))
  func `srun starts a run`() throws {
    let run = try start(
      [
        ClusterTests.file("Tests/Cluster/one-node-slurm"), fixture.path("slurm"), "srun",
        "--ntasks=2",
        "--overcommit", try program(),
      ] + words(Self.train + " --kimg=0.048"),
      ["MASTER_PORT": "\(try Rendezvous.freePort())"],
      output: "slurm.txt"
    )
    run.waitUntilExit()
    #expect(run.terminationStatus == 0, "\(text("slurm.txt"))")
    #expect(try fixture.only("runs").contains("-gpus2-"), "\(text("slurm.txt"))")
  }

  /// Two machines: network namespaces joined by one cable, which is cut.
  @Test(
    .enabled(
      if: Tools.makesNetworks,
      "takes Debian's iproute2, root, and the right to make networks"
    )
  )
  func `a cable that is cut stops both machines within the time given`() throws {
    let id = ProcessInfo.processInfo.processIdentifier
    let (first, second) = ("nifty-a\(id)", "nifty-b\(id)")
    func ip(_ line: String) throws -> Int32 {
      let process = try start(["/usr/sbin/ip"] + words(line), output: "ip.txt")
      process.waitUntilExit()
      return process.terminationStatus
    }
    defer { for name in [first, second] { _ = try? ip("netns del \(name)") } }
    for line in [
      "netns add \(first)", "netns add \(second)",
      "link add va netns \(first) type veth peer name vb netns \(second)",
      "-n \(first) addr add 10.77.0.1/24 dev va", "-n \(second) addr add 10.77.0.2/24 dev vb",
      "-n \(first) link set lo up", "-n \(second) link set lo up",
      "-n \(first) link set va up", "-n \(second) link set vb up",
    ] { try #require(ip(line) == 0, "ip \(line): \(text("ip.txt"))") }
    let ranks = try [first, second].enumerated().map { rank, namespace in
      try start(
        ["/usr/sbin/ip", "netns", "exec", namespace, try program()]
          + words(Self.train + " --kimg=1000"),
        [
          "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "10.77.0.1",
          "MASTER_PORT": "29511",
        ],
        output: "rank\(rank).txt"
      )
    }
    #expect(wait { text("rank0.txt").contains("tick 1 ") })
    #expect(try ip("-n \(first) link set va down") == 0)
    #expect(wait(40) { !ranks.contains { $0.isRunning } }, "somebody still waits")
    for (rank, process) in ranks.enumerated() {
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      let said = text("rank\(rank).txt")
      #expect(
        said.contains(
          "rank \(1 - rank) died or hangs, or the network is cut, seen by rank \(rank)"
        ),
        "\(said)"
      )
    }
    let again = try fixture.run("train --continue=latest --outdir=runs --gpus=1 --kimg=0.096")
    #expect(again.status == 0, "\(again.errors)")
  }
}
