import Files
import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Conversion of snapshots")
struct ConversionTests {
  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  /// The fixture, and the recorded snapshot where the golden folder has it.
  private static let originals: [String] = {
    let recorded = Golden.path("snapshot/network-snapshot-000000.pkl")
    let hasRecorded = FileManager.default.fileExists(atPath: recorded)
    return [fixture("network-snapshot-000012.pkl")] + (hasRecorded ? [recorded] : [])
  }()

  @Test(arguments: originals)
  func `both conversions are lossless`(original: String) throws {
    try withTemporaryFolder { folder in
      let first = "\(folder)/first/model.safetensors"
      let second = "\(folder)/second/model.safetensors"
      for folder in ["first", "second"].map({ "\(folder)/\($0)" }) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      }
      // No number in its name: what it says must be inside.
      let pickle = "\(folder)/back.pkl"
      let source = try NetworkSnapshot(path: original)
      try source.convert(to: first)
      let middle = try NetworkSnapshot(path: first)
      try middle.convert(to: pickle)
      let back = try NetworkSnapshot(path: pickle)
      try back.convert(to: second)
      #expect(try bytes(first) == bytes(second))
      let configurations = try ["first", "second"].map { try bytes("\(folder)/\($0)/config.json") }
      #expect(configurations[0] == configurations[1])
      for snapshot in [middle, back] {
        #expect(snapshot.generator == source.generator)
        #expect(snapshot.discriminator == source.discriminator)
        #expect(snapshot.imagesSeen == source.imagesSeen)
        #expect(snapshot.record == source.record)
        #expect(snapshot.notes == source.notes)
      }
      // And the pickle itself: from its own safetensors file it is the same again.
      try NetworkSnapshot(path: second).convert(to: "\(folder)/again.pkl")
      #expect(try bytes(pickle) == bytes("\(folder)/again.pkl"))
    }
  }

  @Test func `the averaged generator alone, in half precision, paints`() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/small.safetensors"
      let source = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl"))
      try source.convert(to: path, averageOnly: true, half: true)
      let small = try NetworkSnapshot(path: path)
      #expect(!small.contains(.generator) && !small.contains(.discriminator))
      #expect(small.discriminator == nil && small.imagesSeen == 12_000)
      #expect(worstDifference(from: try small.averagedGenerator()) < 2.5e-4)
      let file = try SafeTensors(path: path)
      #expect(file.entries.values.allSatisfy { $0.dtype == .float16 })
    }
  }

  @Test func `weights beyond half precision are named instead of becoming infinite`() throws {
    try withTemporaryFolder { folder in
      let network = Generator(fixtureGenerator(), random: SeededRandom(seed: 1))
      network.mapping.wAverage.fill(70_000)
      let path = "\(folder)/large.safetensors"
      try NetworkSnapshot.write(
        to: path,
        networks: [(.average, network)],
        generator: fixtureGenerator(),
        discriminator: nil,
        imagesSeen: 0
      )
      let error = #expect(throws: SnapshotError.self) {
        try NetworkSnapshot(path: path).convert(to: "\(folder)/half.safetensors", half: true)
      }
      #expect(error?.description.contains("G_ema.mapping.w_avg holds 70000") == true)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == ["large.safetensors"])
    }
  }

  @Test func `a file that lost its metadata opens with config json`() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/model.safetensors"
      let source = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl"))
      try source.convert(to: path)
      let file = try SafeTensors(path: path)
      let tensors = file.names.compactMap { name in file[name].map { (name: name, tensor: $0) } }
      try SafeTensors.write(tensors, to: path)
      let bare = try NetworkSnapshot(path: path)
      #expect(bare.generator == source.generator && bare.discriminator == source.discriminator)
      #expect(bare.imagesSeen == 12_000 && bare.record == source.record)
      try FileManager.default.removeItem(atPath: "\(folder)/config.json")
      #expect(openingError(path).contains("describes no generator"))
    }
  }

  @Test func `another program's config json is not replaced`() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write("{\"model_type\": \"bert\"}", to: "\(folder)/config.json")
      let source = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl"))
      let error = #expect(throws: SnapshotError.self) {
        try source.convert(to: "\(folder)/model.safetensors")
      }
      #expect(error?.description.contains("belongs to something else") == true)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == ["config.json"])
    }
  }

  @Test func `a StyleGAN2-ADA file becomes safetensors, but no pickle of LAFITE`() throws {
    try withTemporaryFolder { folder in
      let source = try NetworkSnapshot(path: fixture("stylegan2-ada.pkl"))
      try source.convert(to: "\(folder)/ada.safetensors")
      let converted = try NetworkSnapshot(path: "\(folder)/ada.safetensors")
      #expect(converted.contains(.discriminator))
      let error = #expect(throws: SnapshotError.self) {
        try converted.convert(to: "\(folder)/ada.pkl")
      }
      #expect(error?.description.contains("cannot be written as a pickle of LAFITE") == true)
    }
  }
}
