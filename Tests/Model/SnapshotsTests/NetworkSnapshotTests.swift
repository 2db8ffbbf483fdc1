import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Snapshots

@Suite("Network snapshots")
struct NetworkSnapshotTests {
  private func shape(latent: Int = 8) -> GeneratorConfiguration {
    var result = GeneratorConfiguration(resolution: 8)
    result.zDimension = latent
    result.wDimension = latent
    result.featureDimension = 8
    result.styleWidth = 8
    result.mappingLayers = 2
    result.channelBase = 32
    result.channelMax = 4
    return result
  }

  private func withPath<Result>(_ body: (String) throws -> Result) throws -> Result {
    // A folder of its own: a description is looked for beside the file.
    let folder = try TemporaryFolder()
    return try body(folder.file("network.safetensors"))
  }

  private func write(_ network: Generator, to path: String, dtype: DType = .float32) throws {
    try NetworkSnapshot.write(
      to: path,
      networks: [(.average, network)],
      generator: network.configuration,
      discriminator: nil,
      imagesSeen: 12_000,
      notes: ["clip": "tiny"],
      dtype: dtype
    )
  }

  @Test func `a generator comes back bit for bit, with its description`() throws {
    try withPath { path in
      let network = Generator(shape(), random: SeededRandom(seed: 1))
      try write(network, to: path)
      let snapshot = try NetworkSnapshot(path: path)
      #expect(snapshot.imagesSeen == 12_000)
      #expect(snapshot.notes == ["clip": "tiny"])
      #expect(snapshot.generator == shape())
      #expect(!snapshot.contains(.generator) && snapshot.contains(.average))
      let back = try snapshot.averagedGenerator()
      for (a, b) in zip(network.state, back.state) {
        #expect(a.name == b.name && a.tensor.floats == b.tensor.floats)
        #expect(!b.tensor.requiresGradient)
      }
    }
  }

  @Test func `blocks in reduced precision have the type that training gives them on a device`()
    throws
  {
    try withPath { path in
      var reduced = shape()
      reduced.reducedPrecisionResolutions = 2
      try write(Generator(reduced, random: SeededRandom(seed: 1)), to: path)
      let snapshot = try NetworkSnapshot(path: path)
      let random = SeededRandom(seed: 2)
      let z = random.normal([1, reduced.zDimension])
      let fts = random.normal([1, reduced.featureDimension]).normalized()
      func image(_ generator: Generator) throws -> [Float] {
        try generator.adopt(snapshot.averagedGenerator().stateDictionary)
        return withoutGradients { generator(z, fts: fts, noiseMode: .constant).floats }
      }
      for (device, dtype) in [(Device.cpu, DType.bfloat16), (.cuda(1), .float16)] {
        let other: DType = dtype == .float16 ? .bfloat16 : .float16
        let found = try image(snapshot.emptyGenerator(for: device))
        #expect(try found == image(Generator(reduced, reducedPrecision: dtype, random: random)))
        #expect(try found != image(Generator(reduced, reducedPrecision: other, random: random)))
      }
    }
  }

  @Test func `half precision loses little`() throws {
    try withPath { path in
      let network = Generator(shape(), random: SeededRandom(seed: 1))
      try write(network, to: path, dtype: .float16)
      let back = try NetworkSnapshot(path: path).averagedGenerator()
      for (a, b) in zip(network.state, back.state) {
        // Mapping weights of the order of 100 are beyond float16's unit precision, not its range.
        expectClose(b.tensor, a.tensor.detached(), rtol: 1e-3, atol: 1e-4)
      }
    }
  }

  @Test func `a network of another shape is refused by name and stays as it was`() throws {
    try withPath { path in
      try write(Generator(shape(), random: SeededRandom(seed: 1)), to: path)
      let other = Generator(shape(latent: 16), random: SeededRandom(seed: 2))
      let before = other.state.flatMap(\.tensor.floats)
      let error = #expect(throws: SnapshotError.self) {
        try NetworkSnapshot(path: path).load(.average, into: other)
      }
      let text = try #require(error?.description)
      #expect(text.contains("does not fit") && text.contains("mapping.fc0.weight"))
      #expect(!text.contains("\n"))
      #expect(other.state.flatMap(\.tensor.floats) == before)
    }
  }

  @Test func `a file that describes no generator is no snapshot`() throws {
    try withPath { path in
      try SafeTensors.write([("x", Tensor.zeros([2]))], to: path)
      let error = #expect(throws: SnapshotError.self) { try NetworkSnapshot(path: path) }
      #expect(error?.description.contains("not a network snapshot") == true)
    }
  }

  @Test(arguments: ["{", "{\"resolution\": 7}", "[]"])
  func `a damaged description is an error, not a crash`(text: String) throws {
    try withPath { path in
      try SafeTensors.write(
        [("x", Tensor.zeros([2]))],
        metadata: ["generator": text],
        to: path
      )
      #expect(throws: SnapshotError.self) { try NetworkSnapshot(path: path) }
    }
  }
}
