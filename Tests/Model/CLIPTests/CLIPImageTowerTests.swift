import CLIP
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// The image tower as the generator's loss uses it.
@Suite("CLIP's image tower in the loss")
struct CLIPImageTowerTests {
  static let towers: [CLIPConfiguration.Vision] = [
    .transformer(layers: 2, width: 64, patch: 8, heads: 1),
    .resnet(layers: [1, 1, 1, 1], width: 8, heads: 2), .convolutional(channels: [16, 32]),
  ]

  @Test(arguments: towers)
  func `bfloat16 gives nearly the same gradient of the pixels`(vision: CLIPConfiguration.Vision) {
    func model() -> CLIP {
      let configuration = CLIPConfiguration(
        embedDimension: 64,
        imageResolution: 32,
        vision: vision,
        contextLength: 4,
        vocabularySize: 8,
        textWidth: 64,
        textLayers: 1
      )
      let model = CLIP(configuration, random: SeededRandom(seed: 1))
      model.setTrainable(false)
      return model
    }
    let text = SeededRandom(seed: 2).normal([2, 64])
    func pixelGradient(_ encode: (Tensor) -> Tensor) -> Tensor {
      let pixels = formulaTensor("pixels", [2, 3, 32, 32])
      pixels.requiresGradient = true
      let features = encode(pixels)
      #expect(features.dtype == .float32)
      return gradient(of: (features.normalized() * text).sum(), withRespectTo: pixels)
    }
    let (exact, reduced) = (model(), model())
    let (a, b) = (
      pixelGradient(exact.imageTower(in: .float32)),
      pixelGradient(reduced.imageTower(in: .bfloat16))
    )
    #expect(b.dtype == .float32)
    let cosine = (a * b).sum().item / ((a * a).sum().item * (b * b).sum().item).squareRoot()
    #expect(cosine > 0.98 && cosine < 0.999_999_9)
    for entry in reduced.state {
      let isReduced = entry.name.hasPrefix("visual.") && entry.tensor.rank > 1
      #expect(entry.tensor.dtype == (isReduced ? .bfloat16 : .float32), "\(entry.name)")
    }
  }
}
