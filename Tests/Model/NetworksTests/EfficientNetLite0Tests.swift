import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("EfficientNet-Lite0: Golden")
struct EfficientNetLite0Tests {
  /// Made by Fixtures/efficientnet_lite0.py.
  private struct Recorded: Decodable {
    let shapes: [String: [Int]]
    let features: [String: [Double]]
  }

  @Test func `names, shapes and features agree with a network of torch's own layers`() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/efficientnet_lite0.json")
    let recorded = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
    var weights: [String: Tensor] = [:]
    for (name, shape) in recorded.shapes { weights[name] = weight(name, shape) }
    let network = try EfficientNetLite0(weights: weights)
    // Sixteen blocks of float32 move single elements by 1.4e-4 with the number of threads alone.
    network.convert(to: .float64)
    #expect(network.state.count == recorded.shapes.count)
    #expect(network.parameterCount == 4_652_008)
    for (name, shape) in [("small", [1, 3, 32, 32]), ("wide", [1, 3, 240, 300])] {
      let image = formulaTensor("lite0/\(name)", shape, scale: 60, offset: 128)
        .rounded().clamped(from: 0, to: 255).to(.uint8)
      let features = network.features(image)
      let golden = Tensor(try #require(recorded.features[name]), shape: [1, 1280])
      expectClose(features, golden, rtol: 1e-9, atol: 1e-9, name)
    }
  }

  @Test func `weights of another network are refused`() {
    #expect(throws: StateMismatch.self) { try EfficientNetLite0(weights: [:]) }
  }

  /// The rule of the script.
  private func weight(_ name: String, _ shape: [Int]) -> Tensor {
    let salt = "lite0/"
    if name.hasSuffix("running_var") || (shape.count == 1 && name.hasSuffix("weight")) {
      return formulaTensor(name, shape, scale: 0.2, offset: 1, salt: salt)
    }
    let scale = shape.count > 1 ? 2 * pow(Double(shape.dropFirst().reduce(1, *)), -0.5) : 0.1
    return formulaTensor(name, shape, scale: scale, salt: salt)
  }
}
