import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import JSON

@Suite("Writing snapshot pickles")
struct PickleWritingTests {
  private static let record = TrainingRecord(
    trainingSet: ["path": "d.zip", "max_size": 24, "xflip": false],
    arguments: ["batch_size": 4, "temp": 0.5, "itd": 5.0, "none": .null, "list": [1, [2.5]]]
  )

  /// A shape with everything in it: both style structures, clamps, reduced precision, no head or one.
  private func shapes(usesFeatures: Bool) -> (GeneratorConfiguration, DiscriminatorConfiguration) {
    var (generator, discriminator) = (fixtureGenerator(), fixtureDiscriminator())
    // The width of the original, which minipickle takes for granted.
    generator.styleWidth = 512
    generator.reducedPrecisionResolutions = usesFeatures ? 1 : 0
    generator.clamp = usesFeatures ? 256 : nil
    generator.featureScale = 4
    discriminator.usesFeatures = usesFeatures
    discriminator.reducedPrecisionResolutions = generator.reducedPrecisionResolutions
    discriminator.clamp = generator.clamp
    discriminator.featureLogit = .perSample
    discriminator.minibatchGroup = usesFeatures ? 2 : nil
    return (generator, discriminator)
  }

  private func write(to path: String, usesFeatures: Bool = true) throws -> [any Module] {
    let (generator, discriminator) = shapes(usesFeatures: usesFeatures)
    return try writeFixture(
      to: path,
      generator,
      discriminator,
      notes: ["clip": "tiny", "clip_sha256": "ab12"],
      record: Self.record
    )
  }

  @Test(arguments: [true, false])
  func `a written snapshot round-trips bit for bit, with its metadata`(usesFeatures: Bool) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/network-snapshot-000012.pkl"
      let networks = try write(to: path, usesFeatures: usesFeatures)
      let snapshot = try NetworkSnapshot(path: path)
      let (generator, discriminator) = shapes(usesFeatures: usesFeatures)
      #expect(snapshot.generator == generator)
      #expect(snapshot.discriminator == discriminator)
      #expect(snapshot.imagesSeen == 12_345)
      #expect(snapshot.notes == ["clip": "tiny", "clip_sha256": "ab12"])
      #expect(snapshot.record.trainingSet == Self.record.trainingSet)
      #expect(snapshot.record.arguments == Self.record.arguments)
      for (part, network) in zip(NetworkSnapshot.Part.allCases, networks) {
        let back: any Module =
          part == .discriminator
          ? Discriminator(discriminator, random: SeededRandom(seed: 9))
          : Generator(generator, random: SeededRandom(seed: 9))
        try snapshot.load(part, into: back)
        for (a, b) in zip(network.state, back.state) {
          #expect(a.name == b.name && a.tensor.bytes == b.tensor.bytes, "\(a.name)")
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }
  }

  @Test(arguments: ["pkl", "safetensors"], [true, false, nil])
  func `the order of channels is kept, and is the only thing that differs`(
    form: String,
    channelsLast: Bool?
  ) throws {
    try withTemporaryFolder { folder in
      var (generator, discriminator) = shapes(usesFeatures: true)
      generator.channelsLast = channelsLast
      discriminator.channelsLast = channelsLast
      let networks: [any Module] = [
        Generator(generator, random: SeededRandom(seed: 1)),
        Discriminator(discriminator, random: SeededRandom(seed: 2)),
        Generator(generator, random: SeededRandom(seed: 3)),
      ]
      let path = "\(folder)/network-snapshot-000012.\(form)"
      try NetworkSnapshot.write(
        to: path,
        networks: Array(zip(NetworkSnapshot.Part.allCases, networks)),
        generator: generator,
        discriminator: discriminator,
        imagesSeen: 12_000
      )
      let snapshot = try NetworkSnapshot(path: path)
      #expect(snapshot.generator == generator && snapshot.discriminator == discriminator)
      let plain = Generator(shapes(usesFeatures: true).0, random: SeededRandom(seed: 3))
      for (own, expected) in zip(try snapshot.averagedGenerator().state, plain.state) {
        #expect(own.name == expected.name && own.tensor.bytes == expected.tensor.bytes)
      }
    }
  }

  @Test(.enabled(if: python != nil, "PyTorch is not installed in .deps"), arguments: [true, false])
  func `Python loads the classes, attributes and tensors that the original needs`(
    usesFeatures: Bool
  ) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/network-snapshot-000012.pkl"
      let networks = try write(to: path, usesFeatures: usesFeatures)
      let goldens = URL(filePath: Golden.path("snapshot")).path
      let script = fixture("check.py")
      let program = try #require(python)
      let result = try #require(try runProgram(program, ["-B", script, goldens, path]))
      #expect(result.status == 0, "\(result.output)")
      let lines = result.output.split(separator: "\n")
      try #require(lines.count == 4, "\(result.output)")
      let tensors = networks.map(\.state.count).reduce(0, +)
      #expect(lines[0].hasSuffix(" \(tensors)"))
      #expect(OptionValue(json: String(lines[1])) == Self.record.arguments)
      #expect(OptionValue(json: String(lines[2])) == Self.record.trainingSet)
      #expect(lines[3] == "12345 4")
    }
  }

  @Test func `a pickle without all three networks is refused and leaves no file`() throws {
    try withTemporaryFolder { folder in
      let network = Generator(fixtureGenerator(), random: SeededRandom(seed: 1))
      for shape in [nil, fixtureDiscriminator()] {
        let error = #expect(throws: SnapshotError.self) {
          try NetworkSnapshot.write(
            to: "\(folder)/x.pkl",
            networks: [(.average, network)],
            generator: fixtureGenerator(),
            discriminator: shape,
            imagesSeen: 0
          )
        }
        #expect(error?.description.contains("needs G, D and G_ema") == true)
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left.isEmpty)
    }
  }

  @Test func `networks of another shape than described are refused`() throws {
    try withTemporaryFolder { folder in
      let network = Generator(fixtureGenerator(), random: SeededRandom(seed: 1))
      var other = fixtureGenerator()
      other.zDimension = 6
      let discriminator = Discriminator(fixtureDiscriminator(), random: SeededRandom(seed: 1))
      let error = #expect(throws: SnapshotError.self) {
        try NetworkSnapshot.write(
          to: "\(folder)/x.pkl",
          networks: [
            (.generator, network), (.average, network), (.discriminator, discriminator),
          ],
          generator: other,
          discriminator: fixtureDiscriminator(),
          imagesSeen: 0
        )
      }
      #expect(error?.description.contains("G.mapping.fc0.weight is missing or not [7, 6]") == true)
    }
  }
}

/// The Python of `.deps`, which has PyTorch.
private let python = Repository.python
