import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import JSON

/// Snapshots of networks with class labels, in both formats.
@Suite("Snapshots with class labels")
struct LabelledSnapshotTests {
  private func shapes(
    layers: Int? = nil
  ) -> (generator: GeneratorConfiguration, discriminator: DiscriminatorConfiguration) {
    var (generator, discriminator) = (fixtureGenerator(), fixtureDiscriminator())
    // The width of the original, which minipickle takes for granted.
    generator.styleWidth = 512
    generator.labelDimension = 3
    discriminator.labelDimension = 3
    discriminator.labelLayers = layers
    return (generator, discriminator)
  }

  private func write(to path: String, layers: Int? = nil) throws -> [any Module] {
    let (generator, discriminator) = shapes(layers: layers)
    return try writeFixture(
      to: path,
      generator,
      discriminator,
      record: TrainingRecord(arguments: ["batch_size": 4])
    )
  }

  @Test(arguments: ["pkl", "safetensors"], [nil, 2])
  func `networks come back bit for bit, with their classes`(form: String, layers: Int?) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/network-snapshot-000012.\(form)"
      let networks = try write(to: path, layers: layers)
      let snapshot = try NetworkSnapshot(path: path)
      let (generator, discriminator) = shapes(layers: layers)
      #expect(snapshot.generator == generator && snapshot.discriminator == discriminator)
      // And through the other format.
      let other = form == "pkl" ? "safetensors" : "pkl"
      try snapshot.convert(to: "\(folder)/other.\(other)")
      for file in [snapshot, try NetworkSnapshot(path: "\(folder)/other.\(other)")] {
        #expect(file.generator == generator && file.discriminator == discriminator)
        let back = Discriminator(discriminator, random: SeededRandom(seed: 9))
        try file.load(.discriminator, into: back)
        for (own, read) in [
          (networks[1], back as any Module), (networks[2], try file.averagedGenerator()),
        ] {
          for (a, b) in zip(own.state, read.state) {
            #expect(a.name == b.name && a.tensor.bytes == b.tensor.bytes, "\(a.name)")
          }
        }
      }
    }
  }

  @Test(.enabled(if: Repository.python != nil, "PyTorch is not installed in .deps"))
  func `Python finds the modules, attributes and tensors of the original`() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/network-snapshot-000012.pkl"
      let networks = try write(to: path)
      // The reader of the repository knows labels, that beside the other recordings does not.
      let reader = Repository.path("Tests/Goldens/snapshot")
      let words = ["-B", fixture("check.py"), reader, path]
      let python = try #require(Repository.python)
      let result = try #require(try runProgram(python, words))
      #expect(result.status == 0, "\(result.output)")
      let tensors = networks.map(\.state.count).reduce(0, +)
      #expect(result.output.split(separator: "\n").first?.hasSuffix(" \(tensors)") == true)
    }
  }

  @Test func `a StyleGAN2-ADA file with classes opens, paints and judges`() throws {
    let snapshot = try NetworkSnapshot(path: fixture("stylegan2-ada-labels.pkl"))
    #expect(snapshot.generator.labelDimension == 3 && snapshot.generator.featureDimension == 0)
    #expect(snapshot.generator.zDimension == 5)
    let shape = try #require(snapshot.discriminator)
    #expect(shape.labelDimension == 3 && shape.labelLayers == nil && !shape.usesFeatures)
    let network = try snapshot.averagedGenerator()
    #expect(worstDifference(from: network) < 1e-7)
    let judge = Discriminator(shape, random: SeededRandom(seed: 1))
    try snapshot.load(.discriminator, into: judge)
    #expect(worstDifference(from: judge) < 1e-7)
    let labels = Tensor([1, 0, 0, 0, 1, 0] as [Float], shape: [2, 3])
    let z = SeededRandom(seed: 1).normal([1, 5]).expanded(2, -1)
    let image = network(z, fts: .zeros([2, 0]), labels: labels, noiseMode: .constant)
    #expect(image.isFinite && image.selected(0, 0).floats != image.selected(0, 1).floats)
    let logits = judge(image, fts: .zeros([2, 6]), labels: labels).logits.floats
    #expect(logits[0] != logits[1])
  }

  @Test(arguments: [0, 4]) func `a claim of other classes than the tensors' is refused`(
    claim: Int
  ) throws {
    try withTemporaryFolder { folder in
      let (generator, discriminator) = shapes()
      let path = "\(folder)/claim.pkl"
      let network = Generator(generator, random: SeededRandom(seed: 1))
      try NetworkSnapshot.write(
        to: path,
        networks: [
          (.generator, network), (.average, network),
          (.discriminator, Discriminator(discriminator, random: SeededRandom(seed: 1))),
        ],
        generator: generator,
        discriminator: discriminator,
        imagesSeen: 0,
        record: TrainingRecord(generatorKeywords: ["c_dim": .int(claim)])
      )
      #expect(openingError(path).contains("it says c_dim=\(claim), but its tensors say 3"))
    }
  }

  @Test func `the description of a network without classes says nothing of them`() throws {
    let texts = try [
      JSONEncoder().encode(fixtureGenerator()), JSONEncoder().encode(fixtureDiscriminator()),
    ].map { String(decoding: $0, as: UTF8.self) }
    #expect(!texts.contains { $0.contains("label") })
  }
}
