import Testing
import Torch
import TorchTestSupport

@Suite("Formula tensors")
struct FormulaTensorTests {
  @Test func `the hash and the values are those of the reference script`() {
    #expect(fnv1a64("test") == 0xf9e6_e6ef_197c_2b25)
    let values = unitValues(seed: fnv1a64("test"), count: 4)
    #expect(
      values == [
        -0x1.8d365e87cde95p-1, 0x1.516b3076a16b5p+0, 0x1.81adfb08de8bap+0, -0x1.20e0835217625p-1,
      ]
    )
  }

  @Test func `values have mean 0 and variance 1`() {
    let x = formulaTensor("moments", [20_000]).to(.float64)
    expectClose(x.mean().item, 0, atol: 0.03)
    expectClose(x.squared().mean().item, 1, atol: 0.02)
  }
}
