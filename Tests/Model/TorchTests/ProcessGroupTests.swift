import Foundation
import Testing
import Torch
import TorchTestSupport

/// Ranks as threads of one process: the group does not know the difference.
@Suite("Process group", .serialized)
struct ProcessGroupTests {
  @Test(arguments: [1, 2, 3])
  func `all-reduce, broadcast and all-gather`(count: Int) async throws {
    let results = try await inRanks(count) { group in
      let own = Tensor([Float(group.rank + 1), 10])
      let sum = own.copy()
      try group.sum(sum)
      let copy = own.copy()
      try group.broadcast(copy, from: group.count - 1)
      return [sum.floats, copy.floats] + (try group.gathered(own).map(\.floats))
    }
    #expect(results.count == count)
    let total = Float(count * (count + 1) / 2)
    for result in results {
      #expect(result[0] == [total, Float(10 * count)])
      #expect(result[1] == [Float(count), 10])
      #expect(result.dropFirst(2).map { $0[0] } == (1...count).map(Float.init))
    }
  }

  @Test func `a dead rank is noticed and its reason can be read`() async throws {
    let results = try await inRanks(2, timeout: .seconds(8)) { group -> String in
      // Both have met: who goes before that leaves the other without a group.
      try group.sum(Tensor([Float(1)]))
      if group.rank == 1 {
        try group.publish("no memory", under: "cause")
        return "left"
      }
      do {
        try group.sum(Tensor([Float(1)]))
        return "nothing noticed"
      } catch {
        return "\(try group.published(under: "cause") ?? "no cause"); \(error)"
      }
    }
    #expect(results[1] == "left")
    #expect(results[0].hasPrefix("no memory; rank 0 of 2 cannot sum with the others: "))
  }

  @Test func `missing ranks are named by all that joined`() async throws {
    let port = try Rendezvous.freePort()
    let errors = await withTaskGroup(of: String.self) { tasks in
      for rank in [0, 2] {
        tasks.addTask {
          await withCheckedContinuation { continuation in
            Thread.detachNewThread {
              let rendezvous = Rendezvous(rank: rank, count: 4, host: "127.0.0.1", port: port)
              do {
                _ = try ProcessGroup(rendezvous, timeout: .seconds(2))
                continuation.resume(returning: "met")
              } catch {
                continuation.resume(returning: "\(error)")
              }
            }
          }
        }
      }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
    for error in errors {
      #expect(error.contains("cannot meet the others"), "\(error)")
      #expect(error.hasSuffix("rank 1, rank 3 did not come within 2 seconds"), "\(error)")
    }
  }

  @Test func `a rendezvous address without a listener gives one line`() throws {
    let nowhere = Rendezvous(rank: 1, count: 2, host: "127.0.0.1", port: 1)
    let error = #expect(throws: TorchError.self) {
      try ProcessGroup(nowhere, timeout: .seconds(1))
    }
    let text = try #require(error?.description)
    #expect(text.hasPrefix("rank 1 of 2 cannot meet the others at 127.0.0.1:1: "))
    #expect(!text.contains("\n"))
  }
}

/// NCCL's calls, against a library with its interface over host memory.
@Suite("NCCL", .serialized)
struct NCCLTests {
  @Test(arguments: [2, 3])
  func `all-reduce, broadcast and all-gather use NCCL where requested`(count: Int) async throws {
    let library = try StandInNCCL.library.get()
    let size = 1_500_000  // more than the stand-in takes at once
    let results = try await inRanks(count) { group in
      #expect(!group.usesNCCL(Tensor([Float(0)])))
      try group.useNCCL(on: .cpu, library: library)
      let own = Tensor.range(size).to(.float32) + Double(group.rank)
      #expect(group.usesNCCL(own))
      let sum = own.copy()
      try group.sum(sum)
      let copy = Tensor([Int64(group.rank + 1), 10])
      try group.broadcast(copy, from: group.count - 1)
      let all = try group.gathered(Tensor([Float(group.rank)], shape: [1, 1]))
      try group.check()
      #expect(all.allSatisfy { $0.shape == [1, 1] })
      return (sum.floats, copy.values(Int64.self), all.map { $0.floats[0] })
    }
    let shift = Float(count * (count - 1) / 2)
    for (sum, copy, all) in results {
      #expect(sum.indices.allSatisfy { sum[$0] == Float($0 * count) + shift })
      #expect(copy == [Int64(count), 10])
      #expect(all == (0..<count).map(Float.init))
    }
  }

  @Test func `a missing rank fails the call at its deadline, and all later ones`() async throws {
    let library = try StandInNCCL.library.get()
    let errors = try await inRanks(2, timeout: .seconds(2)) { group -> [String] in
      try group.useNCCL(on: .cpu, library: library)
      if group.rank == 1 {
        Thread.sleep(forTimeInterval: 3)
        return []
      }
      let calls: [() throws -> Void] = [
        { try group.sum(Tensor([Float(1)])) }, { try group.check() },
        { _ = try group.gathered(Tensor([Float(1)])) },
      ]
      return calls.map { call in
        do {
          try call()
          return "nothing noticed"
        } catch { return "\(error)" }
      }
    }
    #expect(errors[0].count == 3)
    for (error, what) in zip(errors[0], ["sum", "compute", "gather"]) {
      #expect(
        error == "rank 0 of 2 cannot \(what) with the others: NCCL's sum was not done in time"
      )
    }
  }

  @Test func `NCCL is used only if every rank has it`() async throws {
    let library = try StandInNCCL.library.get()
    let errors = try await inRanks(2) { group -> String in
      var said = ""
      do {
        try group.useNCCL(on: .cpu, library: group.rank == 0 ? library : "libnothing.so.2")
      } catch { said = "\(error)" }
      // Gloo carries on.
      let sum = Tensor([Float(1)])
      #expect(!group.usesNCCL(sum))
      try group.sum(sum)
      #expect(sum.floats == [2])
      return said
    }
    #expect(
      errors[0] == "rank 0 of 2 cannot use NCCL with the others: another rank cannot use NCCL"
    )
    #expect(errors[1].hasPrefix("rank 1 of 2 cannot use NCCL with the others: libnothing.so.2: "))
  }

  @Test func `a type that NCCL refuses is named with its words`() async throws {
    let library = try StandInNCCL.library.get()
    let errors = try await inRanks(2) { group -> String in
      try group.useNCCL(on: .cpu, library: library)
      var said = "nothing"
      do {
        try group.sum(Tensor([Float(1)]).to(.bfloat16))
      } catch { said = "\(error)" }
      // A rank that leaves first would be the other's reason.
      try group.publish("tried", under: "tried \(group.rank)")
      while try group.published(under: "tried \(1 - group.rank)") == nil { usleep(1000) }
      return said
    }
    for error in errors {
      #expect(error.contains("NCCL's sum: invalid argument: the stand-in does not sum type 9"))
    }
  }
}

/// NVIDIA's own library, as far as it goes without a GPU.
@Suite("NCCL itself")
struct RealNCCLTests {
  @Test func `its header declares every function used`() throws {
    _ = try #require(RealNCCL.library, "scripts/setup --tests installs it")
    #expect(try RealNCCL.hasOurInterface())
  }

  @Test(.enabled(if: Runtime.cudaDevices == 0, "there is a GPU"))
  func `without a GPU it loads, makes an id and says why ranks cannot join`() async throws {
    let library = try #require(RealNCCL.library, "scripts/setup --tests installs it")
    let errors = try await inRanks(2) { group -> String in
      var said = ""
      do { try group.useNCCL(on: .cpu, library: library) } catch { said = "\(error)" }
      let sum = Tensor([Float(1)])
      try group.sum(sum)
      #expect(sum.floats == [2])
      return said
    }
    for (rank, error) in errors.enumerated() {
      #expect(
        error.hasPrefix("rank \(rank) of 2 cannot use NCCL with the others: NCCL's meeting: ")
          && error.contains("CUDA driver"),
        "\(error)"
      )
    }
  }
}

@Suite("Rendezvous")
struct RendezvousTests {
  static let starters: [(name: String, environment: [String: String], expected: Rendezvous)] = [
    (
      "torchrun",
      [
        "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_ADDR": "alpha",
        "MASTER_PORT": "1234",
      ],
      Rendezvous(rank: 5, count: 8, localRank: 1, host: "alpha", port: 1234)
    ),
    (
      "mpirun on one machine",
      [
        "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
        "OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
      ],
      Rendezvous(rank: 1, count: 2, localRank: 1, host: "127.0.0.1", port: 29_500)
    ),
    (
      "srun over several machines",
      [
        "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "1",
        "SLURM_STEP_TASKS_PER_NODE": "2(x2)", "SLURM_STEP_NODELIST": "node[07-08]",
      ],
      Rendezvous(rank: 3, count: 4, localRank: 1, host: "node07", port: 29_500)
    ),
    (
      "srun with plain names",
      [
        "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "alpha,beta",
        "MASTER_PORT": "4000",
      ],
      Rendezvous(rank: 0, count: 2, host: "alpha", port: 4000)
    ),
    (
      "srun with two numbers in a name",
      [
        "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_STEP_NODELIST": "rack[2-3]node[07-10,12]-ib,other1",
      ],
      Rendezvous(rank: 0, count: 8, host: "rack2node07-ib", port: 29_500)
    ),
    (
      "srun with a number within a name",
      [
        "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NODELIST": "n[01,03].site,x",
      ],
      Rendezvous(rank: 0, count: 2, host: "n01.site", port: 29_500)
    ),
  ]

  @Test(arguments: starters)
  func `launchers' environment variables are parsed`(
    name: String,
    environment: [String: String],
    expected: Rendezvous
  ) throws {
    #expect(try Rendezvous(environment: environment) == expected, "\(name)")
  }

  @Test(arguments: [
    [:], ["RANK": "0", "WORLD_SIZE": "1"], ["SLURM_PROCID": "0", "SLURM_NTASKS": "2"],
  ])
  func `a single process has no rendezvous`(environment: [String: String]) throws {
    #expect(try Rendezvous(environment: environment) == nil)
  }

  @Test func `a world size of one is recognised`() throws {
    for (environment, count) in [
      ([:], nil), (["RANK": "0", "WORLD_SIZE": "1"], 1), (["RANK": "1", "WORLD_SIZE": "4"], 4),
      (["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"], 1),
      (["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"], 1),
      // A batch script of Slurm, which starts others itself.
      (["SLURM_PROCID": "0", "SLURM_TASKS_PER_NODE": "1", "SLURM_LOCALID": "0"], nil),
    ] as [([String: String], Int?)] {
      #expect(try Rendezvous.count(environment: environment) == count, "\(environment)")
    }
  }

  static let mistakes: [(environment: [String: String], expected: String)] = [
    (["RANK": "x", "WORLD_SIZE": "2"], "RANK=x in the environment is no number"),
    (["RANK": "2", "WORLD_SIZE": "2"], "RANK=2 must be below WORLD_SIZE=2"),
    (["RANK": "0", "WORLD_SIZE": "2"], "MASTER_ADDR is missing: the machine of rank 0"),
    (
      ["RANK": "0", "WORLD_SIZE": "9223372036854775807", "MASTER_ADDR": "a"],
      "WORLD_SIZE=9223372036854775807 is more than the 65536 processes that can meet"
    ),
    (
      ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "70000"],
      "MASTER_PORT=70000 in the environment is no port"
    ),
  ]

  @Test(arguments: mistakes)
  func `an invalid variable is named`(environment: [String: String], expected: String) {
    let error = #expect(throws: TorchError.self) { try Rendezvous(environment: environment) }
    #expect(error?.description == expected)
  }
}
