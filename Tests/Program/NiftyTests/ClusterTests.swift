import Foundation
import Images
import Parquet
import TestSupport
import Testing

/// The files of Documentation/cluster, used as they are.
@Suite("Cluster")
struct ClusterTests {
  private static let root = Repository.root

  /// A file of the project.
  static func file(_ name: String) -> String { root.appending(path: name).path }

  /// Whether a cluster of one machine can be made here.
  static let hasSlurm =
    geteuid() == 0
    && ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/sbatch"]
      .allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
    && (hasCgroups || slurmVersion >= 23)

  /// Slurm 22 does not start without them, and a chroot may have none.
  private static var hasCgroups: Bool {
    !((try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? []).isEmpty
  }

  /// The first number of `slurm-wlm 22.05.8`.
  private static var slurmVersion: Int {
    let said = ((try? runProgram("/usr/sbin/slurmd", ["-V"])) ?? nil)?.output ?? ""
    let number = said.split(whereSeparator: \.isWhitespace).last?.prefix { $0 != "." }
    return number.flatMap { Int($0) } ?? 0
  }

  private static let python = Repository.python ?? ""
  static let hasYAML =
    ((try? runProgram(python, ["-c", "import yaml"])) ?? nil)?.status == 0

  /// Three parts of three rows each, with the server's pictures.
  private func writeMetadata(_ folder: TemporaryFolder, _ server: LoopbackServer) throws {
    for part in 0..<3 {
      try FileManager.default.createDirectory(
        atPath: folder.file("meta"),
        withIntermediateDirectories: true
      )
      let writer = try ParquetWriter(
        path: folder.file("meta/part-0000\(part).parquet"),
        columns: [("URL", .string), ("TEXT", .string)]
      )
      for row in 0..<3 {
        let path = "/\(3 * part + row)"
        try writer.append([.string(server.url(path)), .string("text of \(path)")])
      }
      try writer.finish()
    }
  }

  /// Runs a program on a thread of its own: the server needs those of the tests.
  private func run(_ path: String, _ arguments: [String]) async throws -> ProcessResult {
    let result = try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try runProgram(path, arguments) })
      }
    }
    return try #require(result)
  }

  @Test(
    .enabled(
      if: hasSlurm,
      "takes root, cgroups, and apt-get install munge slurm-client slurmctld slurmd"
    )
  )
  func `the Slurm script divides the parts among the tasks of an array`() async throws {
    var routes: [String: LoopbackServer.Answer] = [:]
    for i in 0..<9 {
      let pixels = [UInt8](repeating: UInt8(20 * i), count: 40 * 40 * 3)
      routes["/\(i)"] = .bytes(try RGBImage(width: 40, height: 40, pixels: pixels).encodedPNG())
    }
    let folder = try TemporaryFolder()
    let nifty = try program()
    try await LoopbackServer.run(routes) { server in
      try writeMetadata(folder, server)
      let out = folder.file("out")
      let result = try await run(
        Self.file("Tests/Cluster/one-node-slurm"),
        [
          folder.file("slurm"), "sbatch", "--wait", "--array=0-1", "--cpus-per-task=1",
          "--output=\(folder.path)/task-%a.log", "--export=ALL,NIFTY=\(nifty)",
          Self.file("Documentation/cluster/laion.slurm"), folder.file("meta"), out,
          "--shards=2", "--allow-private-addresses", "--ignore-robots",
        ]
      )
      #expect(result.status == 0, "\(result.output)")
      for (task, splits) in [(0, [0, 2]), (1, [1])] {
        let path = folder.file("task-\(task).log")
        let log = try String(contentsOfFile: path, encoding: .utf8)
        for split in 0..<3 {
          #expect(log.contains("\"split\":\(split)") == splits.contains(split), "\(log)")
        }
      }
      for split in 0..<3 {
        for row in 0..<3 {
          let path = "\(out)/split\(split)/\(row).txt"
          let text = try String(contentsOfFile: path, encoding: .utf8)
          #expect(text == "text of /\(3 * split + row)")
        }
      }
      let verified = try await run(nifty, ["laion", "verify", "--out", out])
      #expect(verified.status == 0 && verified.output.contains("split2: 3 pairs, ok"))
    }
  }

  @Test func `the Slurm script says how it is used`() async throws {
    let result = try await run("/bin/bash", [Self.file("Documentation/cluster/laion.slurm")])
    #expect(result.status == 64)
    #expect(result.output.hasPrefix("usage: sbatch "))
  }

  @Test(.enabled(if: hasYAML, "takes PyYAML: scripts/setup --tests"))
  func `the Kubernetes job is one, and nifty understands its arguments`() async throws {
    let toJSON = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
    let manifest = Self.file("Documentation/cluster/laion-job.yaml")
    let parsed = try await run(Self.python, ["-c", toJSON, manifest])
    let json = try JSONDecoder().decode(Job.self, from: Data(parsed.output.utf8))
    #expect(json.apiVersion == "batch/v1" && json.kind == "Job")
    #expect(json.spec.completionMode == "Indexed")
    #expect(json.spec.completions == json.spec.parallelism)
    let pod = json.spec.template.spec
    #expect(pod.restartPolicy == "OnFailure")
    let container = try #require(pod.containers.first)
    #expect(container.command == ["nifty", "laion"])
    // There is no such folder here, and that must be all it complains about.
    let result = try await run(program(), ["laion"] + container.args)
    #expect(result.status != 0)
    #expect(result.output.contains("/data/laion_meta_file"), "\(result.output)")
    let mounts = Set(container.volumeMounts.map(\.name))
    #expect(mounts == Set(pod.volumes.map(\.name)))
  }

  private struct Job: Decodable {
    struct Container: Decodable {
      struct Mount: Decodable { var name: String }
      var command: [String]
      var args: [String]
      var volumeMounts: [Mount]
    }
    struct Pod: Decodable {
      struct Volume: Decodable { var name: String }
      var restartPolicy: String
      var containers: [Container]
      var volumes: [Volume]
    }
    struct Template: Decodable { var spec: Pod }
    struct Spec: Decodable {
      var completionMode: String
      var completions: Int
      var parallelism: Int
      var template: Template
    }
    var apiVersion: String
    var kind: String
    var spec: Spec
  }
}
