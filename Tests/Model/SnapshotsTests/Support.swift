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

/// The largest difference between a network's state and the formula of the fixtures.
func worstDifference(from network: some Module) -> Float {
  var worst: Float = 0
  for entry in network.state {
    let weights = fixtureWeights(entry.name, count: entry.tensor.count)
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
