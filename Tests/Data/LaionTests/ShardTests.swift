import Laion
import TestSupport
import Testing

/// Which machine downloads which parts.
@Suite struct ShardTests {
  private func choose(
    _ environment: [String: String],
    explicit: Shard? = nil,
    parts: ClosedRange<Int>? = nil,
    count: Int? = nil
  ) throws -> Shard.Choice {
    try Shard.choose(explicit: explicit, parts: parts, count: count, environment: environment)
  }

  /// What Slurm sets for task `id` of an array.
  private func array(_ id: Int, _ least: Int, _ most: Int, count: Int) -> [String: String] {
    [
      "SLURM_ARRAY_TASK_ID": "\(id)", "SLURM_ARRAY_TASK_MIN": "\(least)",
      "SLURM_ARRAY_TASK_MAX": "\(most)", "SLURM_ARRAY_TASK_COUNT": "\(count)",
    ]
  }

  @Test func `a task that is sent again alone has the shard that it had`() throws {
    let whole = array(3, 0, 9, count: 10)
    let alone = array(3, 3, 3, count: 1)
    for count in [nil, 4] as [Int?] {
      let first = try choose(whole, count: count)
      #expect(try choose(alone, count: count) == first)
      #expect(first.shard == Shard(index: 3, count: count))
      #expect(first.note?.hasPrefix("SLURM_ARRAY_TASK_ID=3: ") == true)
    }
    #expect(try choose(["JOB_COMPLETION_INDEX": "3"]).shard == Shard(index: 3, count: nil))
  }

  @Test func `the tasks of an array with a step or another beginning are understood`() throws {
    #expect(try choose(array(2, 0, 2, count: 2)).shard == Shard(index: 2, count: nil))
    #expect(try choose(array(7, 5, 8, count: 4), count: 4).shard == Shard(index: 3, count: 4))
  }

  @Test func `explicit flags override the variables of a cluster, with a message`() throws {
    let task = array(3, 0, 3, count: 4)
    let named = try choose(task, parts: 3...3)
    #expect(named.shard == nil)
    #expect(named.note == "--parts is given: SLURM_ARRAY_TASK_ID=3 is ignored")
    let shard = Shard(index: 0, count: 2)
    #expect(try choose(task, explicit: shard, parts: 0...5).shard == shard)
    #expect(try choose(task, explicit: shard).note?.hasPrefix("--shard is given") == true)
    // Who counts the tasks wants them divided.
    #expect(try choose(task, parts: 0...7, count: 4).shard == Shard(index: 3, count: 4))
  }

  @Test func `outside of a cluster there is one shard and no note`() throws {
    for environment in [[:], ["SLURM_ARRAY_TASK_ID": "x"], ["JOB_COMPLETION_INDEX": "-1"]] {
      let choice = try choose(environment)
      #expect(choice.shard == nil && choice.note == nil)
    }
    #expect(throws: LaionError.self) { try choose([:], count: 4) }
    #expect(throws: LaionError.self) { try choose(array(1, 0, 1, count: 2), count: 0) }
  }

  @Test func `machines divide the parts by their numbers`() async throws {
    try await withTemporaryFolder { folder in
      try makeFolder(folder + "/meta")
      for part in 0..<5 { try writePart(part, in: folder + "/meta", []) }
      var configuration = loopbackConfiguration(folder)
      configuration.shard = Shard(index: 1, count: 2)
      #expect(try await LaionDownload(configuration).run().splits.map(\.split) == [1, 3])
      configuration.parts = 3...4
      #expect(try await LaionDownload(configuration).run().splits.map(\.split) == [3])
      configuration.shard = Shard(index: 9, count: 10)
      #expect(try await LaionDownload(configuration).run().splits.isEmpty)
      configuration.parts = nil
      configuration.shard = Shard(index: 4, count: nil)
      #expect(try await LaionDownload(configuration).run().splits.map(\.split) == [4])
      configuration.shard = Shard(index: 5, count: nil)
      let tooHigh = configuration
      await #expect(
        throws: LaionError.noSuchPart(part: 5, folder: folder + "/meta", count: 5)
      ) {
        try await LaionDownload(tooHigh).run()
      }
    }
  }
}
