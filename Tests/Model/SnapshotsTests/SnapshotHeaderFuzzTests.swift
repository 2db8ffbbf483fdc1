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
  @Test func `a header that was changed anywhere is refused or describes a network that paints`()
    throws
  {
    let folder = try TemporaryFolder()
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
    let data = whole[(8 + length)...]
    let alphabet = Array("0123456789-+.eE\"[]{},:truefalsn \\u".utf8)
    var painted = 0
    let inputs = DamagedInputs([Array(whole[8..<8 + length])], alphabet: alphabet)
    let report = inputs.read(2000) { header in
      let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
      try folder.write(size + header + data, to: "network.safetensors")
      let snapshot = try NetworkSnapshot(path: path)
      let generator = try snapshot.averagedGenerator()
      let shape = generator.configuration
      _ = generator(
        .zeros([1, shape.zDimension]),
        fts: .zeros([1, shape.featureDimension]),
        noiseMode: .constant
      )
      painted += 1
    }
    #expect(report.refused > report.inputs / 4)
    // Most changes hit the layout of a tensor, which then no longer fits.
    #expect(painted > report.inputs / 100, "\(painted) of \(report.inputs)")
    #expect(report.slowest < .seconds(5), "input \(report.slowestInput)")
    #expect(report.peakGrowth < 1 << 30)
  }

  @Test func `tensors that belong to no network are no snapshot, whatever lies beside them`() throws
  {
    let folder = try TemporaryFolder()
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
