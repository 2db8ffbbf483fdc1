import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Packing and training on a cluster, by the files of Documentation/cluster as they are.
@Suite("Cluster: packing and training", .serialized)
struct ClusterWorkTests {
  private static let python = Repository.python ?? ""

  private func run(
    _ path: String,
    _ arguments: [String],
    _ environment: [String: String] = [:]
  ) throws -> ProcessResult {
    try #require(try runProgram(path, arguments, environment: environment))
  }

  private func writePictures(_ folder: TemporaryFolder, _ count: Int, in name: String) throws {
    for number in 0..<count {
      let pixels = (0..<16 * 16 * 3).map { UInt8(($0 * (number + 3)) % 251) }
      let image = RGBImage(width: 16, height: 16, pixels: pixels)
      let file = "\(name)/\(number + 10)"
      try folder.write(try image.encodedPNG(), to: "\(file).png")
      try folder.write(Array("picture \(number)".utf8), to: "\(file).txt")
    }
  }

  private static let size = ["--no-clip", "--width=16", "--height=16", "--transform=center-crop"]

  @Test func `shards of a source merge to what one machine packs, and a part of none is told`()
    throws
  {
    let folder = try TemporaryFolder()
    try writePictures(folder, 7, in: "in")
    func pack(_ flags: String...) throws -> Outcome {
      try nifty(["pack", "--source=in", "--dest=a.zip"] + flags + Self.size, in: folder.path)
    }
    #expect(try pack().status == 0)
    for shard in 0..<3 {
      let outcome = try pack("--shard=\(shard)/3")
      #expect(outcome.status == 0 && outcome.output.hasPrefix("a-\(shard)-of-3.zip: "))
    }
    let merged = try nifty(
      ["dataset", "merge", "a-{0..2}-of-3.zip", "--dest=merged.zip"],
      in: folder.path
    )
    #expect(merged.status == 0, "\(merged.errors)")
    let (whole, parts) = try (
      PackedDataset(folder.file("a.zip"), requiresFeatures: false),
      PackedDataset(folder.file("merged.zip"), requiresFeatures: false)
    )
    #expect(whole.count == 7 && parts.count == 7)
    for index in 0..<7 {
      #expect(try whole.encodedImage(at: index) == parts.encodedImage(at: index))
      #expect(try whole.captions(at: index) == parts.captions(at: index))
    }
    let none = try pack("--shard=0/9")
    #expect(none.status == 0 && none.output == "no image is in shard 0 of 9\n", "\(none.output)")
    for word in ["3/3", "1", "-1/3", "0/0", "1/3/5", "9223372036854775808/2"] {
      let refused = try pack("--shard=\(word)")
      #expect(refused.status == 64 && refused.errors.contains("--shard"), "\(refused.errors)")
    }
  }

  @Test func `shards divide several sources among the machines`() throws {
    let folder = try TemporaryFolder()
    for split in 0..<3 { try writePictures(folder, 2, in: "split\(split)") }
    try FileManager.default.createDirectory(
      atPath: folder.file("packed"),
      withIntermediateDirectories: true
    )
    func pack(_ shard: String) throws -> Outcome {
      try nifty(
        ["pack", "--source=split{0..2}", "--dest=packed", "--shard=\(shard)"] + Self.size,
        in: folder.path
      )
    }
    #expect(try pack("1/2").status == 0)
    func zips() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.file("packed")).sorted()
    }
    #expect(try zips() == ["split1.zip"])
    #expect(try pack("0/2").status == 0)
    #expect(try zips() == ["split0.zip", "split1.zip", "split2.zip"])
    let none = try pack("3/4")
    #expect(none.status == 0 && none.output == "no source is in shard 3 of 4\n")
  }

  @Test(
    .enabled(
      if: ClusterTests.hasSlurm,
      "takes root, cgroups, and apt-get install munge slurm-client slurmctld slurmd"
    )
  )
  func `the Slurm scripts pack by an array, and train`() throws {
    let fixture = try TrainingFixture()
    let folder = fixture.folder
    let nifty = try program()
    func common(_ log: String) -> [String] {
      ["--output=\(folder.file(log))", "--export=ALL,NIFTY=\(nifty)"]
    }
    let packed = try run(
      ClusterTests.file("Tests/Cluster/one-node-slurm"),
      [folder.file("slurm"), "sbatch", "--wait", "--array=3-4", "--cpus-per-task=1"]
        + common("pack-%a.log") + [
          ClusterTests.file("Documentation/cluster/pack.slurm"), folder.file("p.zip"),
          "--source=\(folder.file("pairs"))",
        ] + Self.size
    )
    #expect(packed.status == 0, "\(packed.output)")
    for shard in 0..<2 {
      let set = try PackedDataset(folder.file("p-\(shard)-of-2.zip"), requiresFeatures: false)
      #expect(set.count == 6)
    }
    let words = TrainingFixture.train.split(separator: " ").dropFirst().map(String.init)
    let options = words.filter { !$0.hasPrefix("--outdir") }.map {
      $0.replacing("=data.zip", with: "=\(folder.file("data.zip"))")
        .replacing("=clip.safetensors", with: "=\(folder.file("clip.safetensors"))")
    }
    let trained = try run(
      ClusterTests.file("Tests/Cluster/one-node-slurm"),
      [
        folder.file("slurm2"), "sbatch", "--wait", "--nodes=1", "--ntasks-per-node=1",
        "--gpus-per-node=0", "--cpus-per-task=1",
      ] + common("train.log") + [
        ClusterTests.file("Documentation/cluster/train.slurm"), folder.file("runs"),
      ] + options + ["--kimg=0.008"]
    )
    let log = try String(contentsOfFile: folder.file("train.log"), encoding: .utf8)
    #expect(trained.status == 0, "\(trained.output) \(log)")
    let run = try fixture.only("runs")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file(run))
    #expect(names.contains("network-snapshot-000000.safetensors"), "\(names)")
  }

  @Test func `asked to stop, the training script goes back into the queue, and goes on`() throws {
    let fixture = try TrainingFixture()
    let folder = fixture.folder
    // Slurm lets a job wait for minutes before it starts again: its two commands are stood in for.
    for (name, text) in [
      ("srun", "exec \"$@\""), ("scontrol", "echo \"$@\" >> \"$STAND_IN\""),
    ] {
      try folder.write(Array("#!/bin/bash\n\(text)\n".utf8), to: "bin/\(name)")
      chmod(folder.file("bin/\(name)"), 0o755)
    }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let variables = [
      "PATH": "\(folder.file("bin")):\(path)", "NIFTY": try program(), "SLURM_JOB_ID": "17",
      "STAND_IN": folder.file("scontrol.txt"),
    ]
    let options = TrainingFixture.train.split(separator: " ").map(String.init).filter {
      $0 != "train" && !$0.hasPrefix("--outdir")
    }
    func start(_ length: String) throws -> Process {
      let process = Process()
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments =
        [ClusterTests.file("Documentation/cluster/train.slurm"), "runs"] + options + [length]
      process.currentDirectoryURL = URL(filePath: folder.path)
      process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
      // Threads of a pool block signals, and a shell keeps what it inherits.
      var (none, before) = (sigset_t(), sigset_t())
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, &before)
      defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
      let handle = FileHandle.nullDevice
      (process.standardOutput, process.standardError) = (handle, handle)
      try process.run()
      return process
    }
    let first = try start("--kimg=1")
    var runs: String?
    for _ in 0..<1200 where runs == nil {
      usleep(50_000)
      guard let run = try? fixture.only("runs") else { continue }
      let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.file("\(run)/checkpoint")))
      if names?.contains(where: { $0.hasPrefix("images-") }) == true { runs = run }
    }
    let run = try #require(runs, "no checkpoint within a minute")
    first.terminate()
    first.waitUntilExit()
    #expect(first.terminationStatus == 75)
    #expect(
      try String(contentsOfFile: folder.file("scontrol.txt"), encoding: .utf8) == "requeue 17\n"
    )
    let second = try start("--kimg=1")
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    let log = try String(contentsOfFile: folder.file("\(run)/log.txt"), encoding: .utf8)
    #expect(log.contains("continued at"))
    #expect(
      try String(contentsOfFile: folder.file("scontrol.txt"), encoding: .utf8) == "requeue 17\n"
    )
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("runs")).count == 1)
  }

  @Test func `images take the torch that the programs were compiled with`() throws {
    let pins = try String(
      contentsOfFile: ClusterTests.file("scripts/requirements.txt"),
      encoding: .utf8
    )
    let torch = try #require(pins.split(separator: "\n").first { $0.hasPrefix("torch==") })
    for name in ["Dockerfile", "Documentation/cluster/nifty.def"] {
      let text = try String(contentsOfFile: ClusterTests.file(name), encoding: .utf8)
      #expect(text.contains("pip install --no-cache-dir \(torch)\n"), "\(name)")
    }
  }

  private static let hadolint = ClusterTests.file(".deps/venv/bin/hadolint")

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: hadolint),
      "takes hadolint: scripts/setup --tests"
    )
  )
  func `the Dockerfile has no complaint of its linter`() throws {
    let result = try run(Self.hadolint, [ClusterTests.file("Dockerfile")])
    #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
  }

  @Test(arguments: ["pack.slurm", "train.slurm"])
  func `a script that lacks its arguments says how it is used`(name: String) throws {
    let result = try run("/bin/bash", [ClusterTests.file("Documentation/cluster/\(name)")])
    #expect(result.status == 64 && result.output.hasPrefix("usage: sbatch "))
  }

  @Test(.enabled(if: ClusterTests.hasYAML, "takes PyYAML: scripts/setup --tests"))
  func `the manifests are what they claim, and nifty understands their arguments`() throws {
    let packing = try manifest("pack-job.yaml")
    #expect(packing["kind"] as? String == "Job" && packing["apiVersion"] as? String == "batch/v1")
    let spec = try #require(packing["spec"] as? [String: Any])
    #expect(spec["completionMode"] as? String == "Indexed")
    let count = try #require(spec["completions"] as? Int)
    let packer = try container(in: spec["template"])
    let words = try #require(packer["args"] as? [String]).map {
      $0.replacing("$(JOB_COMPLETION_INDEX)", with: "3")
    }
    #expect(words.contains("--shard=3/\(count)"))
    let packed = try nifty(["pack"] + words.filter { !$0.hasPrefix("--clip") } + ["--no-clip"])
    #expect(packed.status == 1 && packed.errors.contains("/data/coco"), "\(packed.errors)")

    let training = try manifest("train-pytorchjob.yaml")
    #expect(training["apiVersion"] as? String == "kubeflow.org/v1")
    #expect(training["kind"] as? String == "PyTorchJob")
    let replicas = try #require(
      (training["spec"] as? [String: Any])?["pytorchReplicaSpecs"] as? [String: [String: Any]]
    )
    #expect(replicas["Master"]?["replicas"] as? Int == 1)
    let (master, worker) = try (
      container(in: replicas["Master"]?["template"]), container(in: replicas["Worker"]?["template"])
    )
    #expect(master as NSDictionary == worker as NSDictionary)
    #expect(
      master["name"] as? String == "pytorch" && master["command"] as? [String] == ["bash", "-c"]
    )
    // There is no such data here, and that must be all it complains about.
    let script = try #require((master["args"] as? [String])?.first)
    let folder = URL(filePath: try program()).deletingLastPathComponent().path
    let result = try run("/bin/bash", ["-c", script], ["PATH": "\(folder):/usr/bin:/bin"])
    #expect(result.status != 0 && result.output.contains("/data/"), "\(result.output)")
  }

  private func manifest(_ name: String) throws -> [String: Any] {
    let toJSON = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
    let path = ClusterTests.file("Documentation/cluster/\(name)")
    let parsed = try run(Self.python, ["-c", toJSON, path])
    let json = try JSONSerialization.jsonObject(with: Data(parsed.output.utf8))
    return try #require(json as? [String: Any])
  }

  /// The one container of a pod's template, whose mounts are its volumes.
  private func container(in template: Any?) throws -> [String: Any] {
    let pod = try #require((template as? [String: Any])?["spec"] as? [String: Any])
    let containers = try #require(pod["containers"] as? [[String: Any]])
    let container = try #require(containers.first)
    func names(_ list: Any?) -> [String] {
      (list as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }
    #expect(names(container["volumeMounts"]) == names(pod["volumes"]))
    return container
  }
}
