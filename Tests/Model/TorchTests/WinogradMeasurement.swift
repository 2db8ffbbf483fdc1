import Foundation
import Testing
import Torch
import TorchTestSupport

/// What Winograd's algorithm gains on this processor.
///
/// `NIFTY_MEASURE=1 swift test --skip-build --filter WinogradMeasurement` prints a line for each size: GFLOP/s of the
/// direct convolution, which libtorch computes where the border is in the image already, and the same number of
/// products by the time of the other. The times are those of the processor, on one thread. The kernels are optimized
/// in every build.
@Suite(
  "What Winograd's algorithm gains",
  .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["NIFTY_MEASURE"] != nil, "NIFTY_MEASURE=1"),
  .timeLimit(.minutes(10))
)
struct WinogradMeasurement {
  @Test(
    arguments: [DType.float32, .bfloat16],
    [
      (4, 128, 128), (4, 256, 64), (4, 512, 32), (16, 128, 16), (16, 64, 32), (16, 32, 16),
      (16, 16, 32),
    ]
  )
  func `rate of a convolution of 3 by 3 and of its gradients`(
    dtype: DType,
    sizes: (images: Int, channels: Int, side: Int)
  ) {
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    Runtime.threads = 1
    Runtime.keepFreedMemory()
    let (N, C, side) = sizes
    let random = SeededRandom(seed: 1)
    let x = random.normal([N, C, side, side]).to(dtype).laidOut(.channelsLast)
    let w = random.normal([C, C, 3, 3]).to(dtype)
    let gflop = 18e-9 * Double(N * C * C * side * side)

    let bordered = x.padded([1, 1, 1, 1]).laidOut(.channelsLast)
    let direct = rates(gflop, bordered, w, padding: 0)
    let ours = rates(gflop, x, w, padding: 1)
    let names = ["convolution", "of the input", "of the weight"]
    let parts = zip(names, zip(direct, ours)).map { name, rates in
      String(format: "%@ %.0f, %.0f (%.2f)", name, rates.0, rates.1, rates.1 / rates.0)
    }
    print("\(dtype), \(N) × \(C) × \(side)²: \(parts.joined(separator: "; "))")
  }

  /// GFLOP/s of the convolution, of the input's gradient, and of the weight's.
  private func rates(_ gflop: Double, _ x: Tensor, _ w: Tensor, padding: Int) -> [Double] {
    func convolved(_ x: Tensor, _ w: Tensor) -> Tensor {
      x.convolved(w, padding: [padding, padding])
    }
    let forward = seconds { withoutGradients { _ = convolved(x, w) } }
    return [gflop / forward]
      + [true, false].map { ofInput in
        let (x, w) = (x.detached().copy(), w.detached().copy())
        let operand = ofInput ? x : w
        operand.requiresGradient = true
        let y = convolved(x, w)
        let dy = y.detached().copy()
        let sum = (y * dy).sum()
        return gflop
          / seconds { _ = gradients(of: [sum], withRespectTo: [operand], retainGraph: true) }
      }
  }

  /// The least of five.
  private func seconds(_ body: () -> Void) -> Double {
    body()
    return (0..<5).map { _ in
      let start = clock()
      body()
      return Double(clock() - start) / Double(CLOCKS_PER_SEC)
    }.min() ?? .nan
  }
}
