import Foundation
import Networks
import Snapshots
import Torch
import TorchNN

/// The folder of the fixtures beside this file.
private let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(path: "Fixtures")

/// The path of a fixture.
func fixture(_ name: String) -> String { fixtures.appending(path: name).path }

/// The generator of `Fixtures/make.py`.
func fixtureGenerator() -> GeneratorConfiguration {
  var shape = GeneratorConfiguration(resolution: 8)
  shape.zDimension = 5
  shape.wDimension = 7
  shape.featureDimension = 6
  shape.styleWidth = 3
  shape.mappingLayers = 2
  shape.channelBase = 32
  shape.channelMax = 4
  shape.structureChange = 4
  return shape
}

/// The discriminator of `Fixtures/make.py`.
func fixtureDiscriminator() -> DiscriminatorConfiguration {
  var shape = DiscriminatorConfiguration(resolution: 8)
  shape.featureDimension = 6
  shape.channelBase = 32
  shape.channelMax = 4
  shape.normalizesFeatures = true
  return shape
}

/// Weights as `Fixtures/make.py` makes them: element i of a tensor is sin(i + length of its name).
func fixtureWeights(_ name: String, count: Int) -> [Float] {
  (0..<count).map { Float(sin(Double($0 + name.utf8.count))) }
}

/// The weights of a tensor of the fixtures.
///
/// StyleGAN2-ADA's layers `affine` of 4² are cut from `affine_0`, which reads three numbers of a text behind w.
private func expectedWeights(_ name: String, _ shape: [Int]) -> [Float] {
  let count = shape.reduce(1, *)
  guard name.contains(".b4."), name.contains(".affine.") else {
    return fixtureWeights(name, count: count)
  }
  let longer = name.replacing(".affine.", with: ".affine_0.")
  guard shape.count == 2 else { return fixtureWeights(longer, count: count) }
  let (rows, width) = (shape[0], shape[1] + 3)
  let whole = fixtureWeights(longer, count: rows * width)
  return (0..<rows).flatMap { whole[$0 * width..<$0 * width + shape[1]] }
}

/// The largest difference between a network's state and the formula of the fixtures.
func worstDifference(from network: some Module) -> Float {
  var worst: Float = 0
  for entry in network.state {
    let weights = expectedWeights(entry.name, entry.tensor.shape)
    for (value, expected) in zip(entry.tensor.floats, weights) {
      worst = max(worst, abs(value - expected))
    }
  }
  return worst
}

/// The error of opening a snapshot; empty when it opens.
func openingError(_ path: String) -> String {
  do {
    _ = try NetworkSnapshot(path: path)
    return ""
  } catch {
    return "\(error)"
  }
}

/// Writes a snapshot of three fresh networks; returns them.
func writeFixture(
  to path: String,
  _ generator: GeneratorConfiguration,
  _ discriminator: DiscriminatorConfiguration,
  notes: [String: String] = [:],
  record: TrainingRecord
) throws -> [any Module] {
  let networks: [any Module] = [
    Generator(generator, random: SeededRandom(seed: 1)),
    Discriminator(discriminator, random: SeededRandom(seed: 2)),
    Generator(generator, random: SeededRandom(seed: 3)),
  ]
  try NetworkSnapshot.write(
    to: path,
    networks: Array(zip(NetworkSnapshot.Part.allCases, networks)),
    generator: generator,
    discriminator: discriminator,
    imagesSeen: 12_345,
    notes: notes,
    record: record
  )
  return networks
}
