import Files
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// What a run says before it begins.
@Suite("Overview of a run", .serialized)
struct OverviewTests {
  private func networks(reduced: Int = 0) -> (Generator, Discriminator) {
    var shape = GeneratorConfiguration(resolution: 32)
    (shape.channelBase, shape.channelMax, shape.structureChange) = (256, 32, 8)
    (shape.zDimension, shape.wDimension, shape.featureDimension, shape.styleWidth) = (12, 10, 6, 4)
    shape.mappingLayers = 2
    shape.reducedPrecisionResolutions = reduced
    var other = DiscriminatorConfiguration(resolution: 32)
    (other.channelBase, other.channelMax, other.featureDimension) = (256, 32, 6)
    other.reducedPrecisionResolutions = reduced
    let random = SeededRandom(seed: 1)
    return (Generator(shape, random: random), Discriminator(other, random: random))
  }

  @Test func `every trained value belongs to a layer, and the sum is the network's`() {
    let (generator, discriminator) = networks()
    let tables = [
      LayerTable(generator, batch: 4, reduced: .bfloat16),
      LayerTable(discriminator, batch: 4, reduced: .bfloat16),
    ]
    #expect(tables[0].parameters == generator.parameterCount)
    #expect(tables[1].parameters == discriminator.parameterCount)
    for table in tables {
      #expect(Set(table.rows.map(\.name)).count == table.rows.count)
    }
    // Two of the mapping, the constant, two at 4², three at each of 8², 16² and 32².
    #expect(tables[0].rows.count == 2 + 1 + 2 + 9)
    // From RGB, three at each of 32², 16² and 8², four of the epilogue.
    #expect(tables[1].rows.count == 1 + 9 + 4)
  }

  @Test func `the outputs are those that the layers give`() throws {
    let (generator, discriminator) = networks()
    let random = SeededRandom(seed: 2)
    let z = random.normal([4, 12])
    let fts = random.normal([4, 6])
    let ws = generator.mapping(z)
    let output = generator.synthesize(ws, fts: fts, noiseMode: .none)
    let painted = LayerTable(generator, batch: 4, reduced: .bfloat16).rows
    let last = try #require(painted.last)
    #expect(last.name == "synthesis.b32.torgb" && last.output == output.image.shape)
    #expect(painted[1].output == [4, ws.size(2)])
    // A style has a number a channel that the layer reads: what the layer before it gives.
    let layers = painted.filter { $0.name.hasPrefix("synthesis.") && !$0.name.hasSuffix("const") }
    #expect(layers.count == output.styles.count)
    for (index, style) in output.styles.enumerated() where layers[index].name.hasSuffix("torgb") {
      #expect(style.shape == [4, layers[index - 1].output[1]])
    }
    let seen = LayerTable(discriminator, batch: 4, reduced: .bfloat16).rows
    let judged = discriminator(output.image, fts: fts)
    #expect(seen.last?.output == judged.logits.shape)
    #expect(seen.first { $0.name == "b4.fts" }?.output == judged.features?.shape)
    #expect(seen.first { $0.name == "b32.conv0" }?.output == [4, 8, 32, 32])
    #expect(seen.first { $0.name == "b32.conv1" }?.output == [4, 16, 16, 16])
  }

  @Test func `blocks in reduced precision say so, and take half the bytes`() {
    let (generator, discriminator) = networks(reduced: 2)
    let painted = LayerTable(generator, batch: 4, reduced: .bfloat16).rows
    for row in painted {
      let isReduced = row.name.contains("b32") || row.name.contains("b16.")
      #expect(row.type == (isReduced ? .bfloat16 : .float32), "\(row.name)")
    }
    let seen = LayerTable(discriminator, batch: 4, reduced: .float16).rows
    #expect(seen.filter { $0.type == .float16 }.count == 7)
    #expect(seen[1].bytes == 4 * 8 * 32 * 32 * 2)
  }

  @Test func `columns stand below each other`() {
    let lines = LayerTable(networks().1, batch: 4, reduced: .bfloat16).lines
    #expect(lines[0] == "discriminator  parameters  output            type")
    #expect(lines[1] == "b32.fromrgb            32  4 × 8 × 32 × 32   float32")
    #expect(lines.last?.hasPrefix("total          ") == true)
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func `a run says data, layers, device, memory and disk, and in later sessions no layers`()
    throws
  {
    let tiny = try TinyRun()
    let run = try tiny.session()
    try run.announce(continuing: false)
    func log() throws -> [String] {
      try String(contentsOfFile: run.folder.file("log.txt"), encoding: .utf8)
        .split(separator: "\n").map(String.init)
    }
    let first = try log()
    let captions = (0..<TinyRun.imageCount).reduce(0) { $0 + 1 + $1 % 3 }
    #expect(
      first[0]
        == "data: 13 images of 16², each mirrored, too, \(captions) captions, no class labels, features of "
        + "\(tinyFeatureDimension) numbers, from 1 zip"
    )
    for start in [
      "generator ", "discriminator ", "networks: ", "device: cpu", "memory: ", "disk: ",
    ] {
      #expect(first.count { $0.hasPrefix(start) } == 1, "\(start)")
    }
    try run.announce(continuing: true)
    let later = try log().dropFirst(first.count)
    #expect(later.count == 5 && later.first == first[0])
  }
}
