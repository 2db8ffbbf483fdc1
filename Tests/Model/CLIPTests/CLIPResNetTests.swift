import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import CLIP

@Suite("CLIP ResNet: Golden")
struct CLIPResNetTests {
  /// Made by Fixtures/clip_resnet.py.
  private struct Recorded: Decodable {
    let shapes: [String: [Int]]
    let evaluation: [Float]
    let training: [Float]
    let runningMean: [Float]
  }

  @Test func `features agree with the published code in both modes`() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/clip_resnet.json")
    let recorded = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
    let configuration = CLIPConfiguration(
      embedDimension: 16,
      imageResolution: 64,
      vision: .resnet(layers: [1, 2, 1, 1], width: 4, heads: 2),
      contextLength: 4,
      vocabularySize: 8,
      textWidth: 8,
      textLayers: 1
    )
    var state = CLIP(configuration, random: SeededRandom(seed: 0)).stateDictionary
    let visual = state.filter { $0.key.hasPrefix("visual.") }
    #expect(visual.mapValues(\.shape) == recorded.shapes)
    for (name, shape) in recorded.shapes { state[name] = weight(name, shape) }
    let model = try CLIP(configuration, state: state)
    model.setTrainable(false)

    let pixels = formulaTensor("clip-resnet/pixels", [3, 3, 64, 64])
    let evaluation = model.encodeImage(pixels)
    expectClose(evaluation, Tensor(recorded.evaluation, shape: [3, 16]), rtol: 1e-4, atol: 1e-5)
    let training = model.encodeImage(pixels, training: true)
    expectClose(training, Tensor(recorded.training, shape: [3, 16]), rtol: 1e-4, atol: 1e-5)
    let mean = try #require(model.stateDictionary["visual.layer2.0.bn2.running_mean"])
    expectClose(mean, Tensor(recorded.runningMean), rtol: 1e-5, atol: 1e-6)
    #expect(try CLIPConfiguration(shapes: state.mapValues(\.shape)).vision == configuration.vision)
  }

  /// The rule of the script.
  private func weight(_ name: String, _ shape: [Int]) -> Tensor {
    let salt = "clip-resnet/"
    if name.hasSuffix("running_var") || (shape.count == 1 && name.hasSuffix("weight")) {
      return formulaTensor(name, shape, scale: 0.2, offset: 1, salt: salt)
    }
    let scale = shape.count > 1 ? pow(Double(shape.dropFirst().reduce(1, *)), -0.5) : 0.1
    return formulaTensor(name, shape, scale: scale, salt: salt)
  }
}
