import Testing
import Torch
import TorchTestSupport

@Suite("Comparison of tensors")
struct ExpectCloseTests {
  /// `withKnownIssue` fails where nothing is recorded, so this expects the comparison to object.
  private func expectObjection(_ body: () throws -> Void) { withKnownIssue { try body() } }

  @Test func `differences in value, shape and type are found`() {
    let x = Tensor([1, 2, 3] as [Float])
    expectObjection { expectClose(x, Tensor([1, 2, 3.1] as [Float]), rtol: 1e-3, atol: 0) }
    expectObjection { expectClose(x, x.reshaped(3, 1), rtol: 1, atol: 1) }
    expectObjection { expectClose(x, x.to(.float64), rtol: 1, atol: 1) }
    expectObjection { expectClose(x, Tensor([1, 2, .nan] as [Float]), rtol: 1, atol: 1) }
    expectObjection { expectClose(Tensor([1, 2, .nan] as [Float]), x, rtol: 1, atol: 1) }
    expectObjection { expectClose(x, Tensor([1, 2, .infinity] as [Float]), rtol: 1, atol: 1) }
  }

  @Test func `equal, close and equally undefined values pass`() {
    let x = Tensor([1, .nan, -.infinity, 1000] as [Float])
    let y = Tensor([1, .nan, -.infinity, 1001] as [Float])
    let worst = expectClose(x, y, rtol: 1e-2, atol: 0)
    expectClose(worst, 1 / 1001.0, rtol: 1e-9)
  }

  @Test func `a digest notices one wrong element`() throws {
    let golden = try Golden("clip_tiny_golden", isReported: false)
    let wrong = formulaTensor("wrong", [2, 3, 224, 224])
    expectObjection { golden.expectClose(wrong, "dpixels", rtol: 1e-3, atol: 1e-3) }
  }
}
