import Foundation
import TestSupport
import Testing
import Torch

@testable import Distributed

/// Runs of several processes that are continued: elsewhere, and by another number of them.
@Suite("Ranks that go on", .serialized)
struct RanksContinuingTests {
  private let fixture: TrainingFixture
  private let run: String

  init() throws {
    fixture = try TrainingFixture()
    let first = try fixture.run(RanksCommandTests.train + " --kimg=0.048 --gpus=2")
    #expect(first.status == 0, "\(first.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.file("runs"))
    run = "runs/\(try #require(names.first))"
  }

  private func text(_ name: String) -> String { contents(of: fixture.folder.file(name)) }

  private func read(_ name: String) throws -> String {
    try String(contentsOfFile: fixture.folder.file(name), encoding: .utf8)
  }

  private func devices() throws -> Int? {
    let json = try JSONSerialization.jsonObject(
      with: Data(read("\(run)/training_options.json").utf8)
    )
    return (json as? [String: Any])?["num_gpus"] as? Int
  }

  /// Continues as two machines, of which the second has the data and the CLIP and nothing of the run.
  private func continued(_ flags: String) throws -> [(status: Int32, said: String)] {
    for name in ["data.zip", "clip.safetensors"] {
      let elsewhere = fixture.folder.file("elsewhere")
      try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: fixture.folder.file(name),
        toPath: "\(elsewhere)/\(name)"
      )
    }
    let port = try Rendezvous.freePort()
    let ranks = try (0..<2).map { rank in
      try fixture.start(
        "train \(flags) --rank-timeout=10",
        variables: [
          "RANK": "\(rank)", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
          "MASTER_PORT": "\(port)",
        ],
        in: rank == 0 ? "." : "elsewhere",
        output: "rank\(rank).txt"
      )
    }
    for rank in ranks { rank.waitUntilExit() }
    return ranks.enumerated().map { ($1.terminationStatus, text("rank\($0).txt")) }
  }

  @Test func `a machine without the run's folder takes its options from rank 0`() throws {
    for flags in ["--continue=\(run) --kimg=0.072", "--continue=latest --outdir=runs --kimg=0.096"]
    {
      defer { try? FileManager.default.removeItem(atPath: fixture.folder.file("elsewhere")) }
      for (status, said) in try continued(flags) { #expect(status == 0, "\(said)") }
      #expect(text("rank0.txt").contains("continued at "))
      #expect(!FileManager.default.fileExists(atPath: fixture.folder.file("elsewhere/runs")))
    }
  }

  @Test func `a run missing on rank 0 is reported to all ranks`() throws {
    let ended = try continued("--continue=runs/00009-other")
    #expect(ended.allSatisfy { $0.status == 1 }, "\(ended)")
    #expect(ended[0].said.contains("runs/00009-other is no run folder"))
    #expect(ended[1].said.contains("rank 0 stopped: runs/00009-other is no run folder"))
  }

  static let starters: [[String: String]] = [
    ["RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"],
    ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"],
    ["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"],
  ]

  @Test(arguments: starters)
  func `a single process continues alone`(variables: [String: String]) throws {
    let going = try fixture.start(
      "train --continue=\(run) --kimg=0.072",
      variables: variables
    )
    going.waitUntilExit()
    #expect(going.terminationStatus == 0, "\(text("output.txt"))")
    #expect(try !read("output.txt").contains("2 processes"), "\(text("output.txt"))")
    #expect(try devices() == 1)
  }

  @Test func `the number of processes that the command asks for counts more`() throws {
    let going = try fixture.start(
      "train --continue=\(run) --kimg=0.072 --gpus=3",
      variables: Self.starters[0]
    )
    going.waitUntilExit()
    #expect(going.terminationStatus == 0, "\(text("output.txt"))")
    #expect(text("output.txt").contains("3 processes, which sum over Gloo"))
    #expect(try devices() == 3)
  }
}
