import CLIP
import Export
import ONNX
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// CLIP's text tower as a graph of ONNX, computed by onnxruntime and by nifty.
@Suite(
  "CLIP's text tower as a graph of ONNX",
  .enabled(if: ONNXRuntime.isInstalled, ONNXRuntime.reason)
)
struct TextTowerGraphTests {
  private func model(_ activation: CLIPActivation) -> CLIP {
    let random = SeededRandom(seed: 3)
    let model = CLIP(
      CLIPConfiguration(
        embedDimension: 24,
        imageResolution: 32,
        vision: .convolutional(channels: [4]),
        contextLength: 12,
        vocabularySize: 40,
        textWidth: 32,
        textHeads: 4,
        textLayers: 3,
        activation: activation
      ),
      random: random
    )
    model.setTrainable(false)
    // Fresh weights are so small that hardly anything depends on them.
    for entry in model.state where entry.name.hasPrefix("transformer.") || entry.name.contains("_e")
    {
      let value = entry.tensor.detached() + random.normal(entry.tensor.shape) * 0.3
      withoutGradients { entry.tensor.assign(value) }
    }
    return model
  }

  /// Start, ids, end mark, zeros.
  private var captions: Tensor {
    let rows: [[Int64]] = [
      [38, 5, 7, 39], [38, 39], [38] + (1...10).map { Int64($0 * 3) } + [39],
    ]
    let ids = rows.flatMap { $0 + [Int64](repeating: 0, count: 12 - $0.count) }
    return Tensor(ids, shape: [3, 12])
  }

  @Test(arguments: [CLIPActivation.quickGELU, .gelu], [false, true])
  func `features are the same, of unit length`(activation: CLIPActivation, half: Bool) throws {
    let folder = try TemporaryFolder()
    let model = model(activation)
    let path = folder.file("text.onnx")
    let written = try ONNXModel(of: model, name: "clip", sha256: "0", half: half).write(to: path)
    #expect(written > 10_000)
    let expected = withoutGradients { model.encodeText(captions).normalized() }
    let output = try ONNXRuntime.run(path, [["tokens": captions]])
    let feature = try #require(output.first?["feature"])
    let worst = zip(feature.floats, expected.floats).map { abs($0 - $1) }.max() ?? .infinity
    #expect(feature.shape == [3, 24] && worst < (half ? 1e-3 : 1e-5))
    // Captions differ, else the end mark would not matter.
    let similar = feature.matmul(feature.transposed()).floats
    #expect(similar[1] < 0.95 && similar[2] < 0.95 && similar[5] < 0.95, "\(similar)")
  }
}
