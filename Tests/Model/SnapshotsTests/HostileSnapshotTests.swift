import Files
import Foundation
import Networks
import Pickle
import Snapshots
import TestSupport
import Testing
import Torch

@Suite("Hostile snapshots")
struct HostileSnapshotTests {
  @Test func `tensors that share one storage too widely are refused before they are copied`()
    throws
  {
    // 64 KiB of file, 400 tensors of 64 KiB each.
    let values = PickleValue.tensor(
      MappedBytes(copying: [UInt8](repeating: 0, count: 1 << 16)),
      type: .float32,
      shape: [1 << 14],
      isParameter: false
    )
    let state: PickleValue = .dictionary([
      ("_parameters", .dictionary((0..<400).map { ("w\($0)", values) })),
      ("_buffers", .dictionary([])), ("_modules", .dictionary([])),
    ])
    let module = PickleValue.instance(of: .global("training.networks", "Generator"), state: state)
    try withTemporaryFolder { folder in
      let path = "\(folder)/wide.pkl"
      try PickleWriter.write(.dictionary([("G_ema", module)]), to: path)
      #expect(openingError(path).contains("tensors are far larger than the file"))
    }
  }

  @Test func `settings inside themselves are refused`() throws {
    // args = {}; args['a'] = args, behind a generator that is fine.
    let whole = Array(
      try Data(contentsOf: URL(filePath: fixture("network-snapshot-000012.pkl")))
    )
    let key: [UInt8] = [0x8C, 4] + Array("args".utf8)
    let end = whole.count - 2
    #expect(Array(whole[end...]) == [0x75, 0x2E])
    // One more entry `args`, which counts as the last of its name: a dictionary with itself inside.
    let entry =
      key + [0x7D, 0x72, 0, 0, 0, 0x7F] + [0x8C, 1, 0x61] + [0x6A, 0, 0, 0, 0x7F] + [0x73]
    try withTemporaryFolder { folder in
      let path = "\(folder)/cycle.pkl"
      try Data(whole[..<end] + entry + whole[end...]).write(to: URL(filePath: path))
      #expect(openingError(path).contains("nested too deeply or without end"))
    }
  }

  @Test func `a description of a larger network than the file holds asks for no memory`() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/large.safetensors"
      var shape = GeneratorConfiguration(resolution: 4096)
      shape.channelBase = 1 << 30
      shape.channelMax = 1 << 20
      let text = String(decoding: try JSONEncoder().encode(shape), as: UTF8.self)
      try SafeTensors.write(
        [("G_ema.mapping.w_avg", Tensor.zeros([512]))],
        metadata: ["generator": text],
        to: path
      )
      let error = #expect(throws: SnapshotError.self) {
        try NetworkSnapshot(path: path).averagedGenerator()
      }
      #expect(error?.description.contains("is not the LAFITE network") == true)
    }
  }

  @Test func `mutated snapshots are refused or opened, and never crash`() throws {
    let rounds =
      ProcessInfo.processInfo.environment["NIFTY_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 300
    let whole = Array(try Data(contentsOf: URL(filePath: fixture("average-half.pkl"))))
    let seed = ProcessInfo.processInfo.environment["NIFTY_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    var source = SeededGenerator(state: seed)
    try withTemporaryFolder { folder in
      let path = "\(folder)/broken.pkl"
      var refused = 0
      for _ in 0..<rounds {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...3, using: &source) {
          bytes[Int.random(in: 0..<bytes.count, using: &source)] = .random(
            in: 0...255,
            using: &source
          )
        }
        try Data(bytes).write(to: URL(filePath: path))
        let text = openingError(path)
        #expect(!text.contains("\n") && (text.isEmpty || text.contains(path)), "seed \(seed)")
        refused += text.isEmpty ? 0 : 1
      }
      #expect(refused > rounds / 20 && refused < rounds, "seed \(seed)")
    }
  }
}
