import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Batch normalisation")
struct BatchNormTests {
  @Test(arguments: [DType.float64, .float32, .bfloat16])
  func `folded into a convolution it equals convolution, normalisation and ReLU`(dtype: DType) {
    let convolution = Convolution2d(
      3,
      32,
      kernel: 3,
      stride: 2,
      padding: 1,
      bias: false,
      random: SeededRandom(seed: 1)
    )
    let normalization = BatchNorm2d(32)
    withoutGradients {
      normalization.weight.assign(formulaTensor("weight", [32]) + 0.5)
      normalization.bias.assign(formulaTensor("bias", [32]))
      normalization.runningMean.assign(formulaTensor("mean", [32]))
      normalization.runningVar.assign(formulaTensor("variance", [32]).squared() + 0.1)
      let x = formulaTensor("x", [2, 3, 16, 16]).to(dtype)
      let expected = normalization(convolution(x.to(.float32))).relu()
      let found = normalization.rectified(x, convolution: convolution)
      #expect(found.dtype == dtype)
      #expect(expected.floats.contains(0) && expected.floats.contains { $0 > 0 })
      let tolerance = dtype == .bfloat16 ? 0.05 : 1e-5
      expectClose(found.to(.float32), expected, rtol: tolerance, atol: tolerance)
    }
  }
}
