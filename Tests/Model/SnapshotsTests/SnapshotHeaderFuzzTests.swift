import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Snapshots

/// Damaged headers of safetensors: the tensors' layouts, and in the metadata the shapes of the networks.
@Suite("Damaged headers of snapshots")
struct SnapshotHeaderFuzzTests {
  private let folder: TemporaryFolder
  private let alphabet = Array("0123456789-+.eE\"[]{},:truefalsn \\u".utf8)

  init() throws { folder = try TemporaryFolder() }

  /// A small snapshot: its header, and the bytes of its tensors.
  private func snapshot() throws -> (header: [UInt8], data: [UInt8]) {
    let path = folder.file("network.safetensors")
    let network = Generator(fixtureGenerator(), random: SeededRandom(seed: 1))
    try NetworkSnapshot.write(
      to: path,
      networks: [(.average, network)],
      generator: network.configuration,
      discriminator: fixtureDiscriminator(),
      imagesSeen: 12_000,
      notes: ["clip": "tiny"],
      dtype: .float16
    )
    let whole = Array(try Data(contentsOf: URL(filePath: path)))
    let length = whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return (Array(whole[8..<8 + length]), Array(whole[(8 + length)...]))
  }

  /// Opens a snapshot with another header, and paints with it.
  private func paint(_ header: [UInt8], _ data: [UInt8]) throws {
    let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
    try folder.write(size + header + data, to: "network.safetensors")
    let snapshot = try NetworkSnapshot(path: folder.file("network.safetensors"))
    let generator = try snapshot.averagedGenerator()
    let shape = generator.configuration
    _ = generator(
      .zeros([1, shape.zDimension]),
      fts: .zeros([1, shape.featureDimension]),
      noiseMode: .constant
    )
  }

  @Test func `a header that was changed anywhere is refused or describes a network that paints`()
    throws
  {
    let (header, data) = try snapshot()
    let report = DamagedInputs([header], alphabet: alphabet).read(1000) { try paint($0, data) }
    #expect(report.refused > report.inputs / 2)
    #expect(report.slowest < .seconds(5), "input \(report.slowestInput)")
    #expect(report.peakGrowth < 1 << 30)
  }

  @Test func `a description that was changed anywhere is refused or is of a network that paints`()
    throws
  {
    let (header, data) = try snapshot()
    let value = try #require(
      try JSONSerialization.jsonObject(with: Data(header)) as? [String: Any]
    )
    let metadata = try #require(value["__metadata__"] as? [String: String])
    let descriptions = ["generator", "discriminator"]
    let report = DamagedInputs(
      try descriptions.map { Array(try #require(metadata[$0]).utf8) },
      alphabet: alphabet
    ).read(1000) { text in
      var (value, metadata) = (value, metadata)
      let changed = String(decoding: text, as: UTF8.self)
      metadata[changed.contains("zDimension") ? "generator" : "discriminator"] = changed
      value["__metadata__"] = metadata
      try paint(Array(try JSONSerialization.data(withJSONObject: value)), data)
    }
    #expect(report.refused > report.inputs / 4)
    #expect(report.refused < report.inputs)
    #expect(report.slowest < .seconds(5), "input \(report.slowestInput)")
    #expect(report.peakGrowth < 1 << 30)
  }

  @Test func `a file whose tensors belong to no network is no snapshot`() throws {
    let text = String(
      decoding: try JSONEncoder().encode(fixtureGenerator()),
      as: UTF8.self
    )
    let path = folder.file("model.safetensors")
    // The description of another model lies beside it, as many programs keep one.
    try SafeTensors.write([("x", Tensor.zeros([2]))], to: path)
    try folder.write(
      Array(#"{"model_type": "lafite", "generator": \#(text)}"#.utf8),
      to: "config.json"
    )
    try SafeTensors.write(
      [("x", Tensor.zeros([2]))],
      metadata: ["generator": text],
      to: folder.file("b.safetensors")
    )
    for file in [path, folder.file("b.safetensors")] {
      let error = #expect(throws: SnapshotError.self) { try NetworkSnapshot(path: file) }
      #expect(error?.description.contains("not a network snapshot") == true, "\(file)")
    }
  }
}
