import Testing
import Torch
import TorchTestSupport

/// Convolutions whose sizes a processor with AVX-512 computes by Winograd's algorithm; others compute them
/// directly, and the same holds.
@Suite("Winograd's convolution")
struct WinogradTests {
  enum Kind: Sendable {
    case plain, halving, doubling
  }

  /// [N, I, H, W] by [O, I, 3, 3], or by [I, O, 3, 3] where it doubles.
  struct Sizes: Sendable, CustomTestStringConvertible {
    var images, inputs, outputs, height, width: Int
    var kind = Kind.plain
    var testDescription: String {
      "\(kind): \(images) × \(inputs) → \(outputs) × \(height) × \(width)"
    }

    func callAsFunction(_ x: Tensor, _ w: Tensor) -> Tensor {
      switch kind {
      case .plain: x.convolved(w, padding: [1, 1])
      case .halving: x.convolved(w, stride: 2)
      case .doubling: x.convolvedTransposed(w, stride: 2)
      }
    }
  }

  /// Whole tiles of 4 × 4, parts of tiles, images smaller than a tile, panels of 16 and of 32 columns, and more
  /// tiles than go at once.
  static let sizes = [
    Sizes(images: 2, inputs: 64, outputs: 64, height: 32, width: 32),
    Sizes(images: 24, inputs: 16, outputs: 48, height: 9, width: 7),
    Sizes(images: 6, inputs: 64, outputs: 32, height: 13, width: 17),
    Sizes(images: 64, inputs: 48, outputs: 16, height: 3, width: 1),
    Sizes(images: 40, inputs: 32, outputs: 32, height: 4, width: 4),
    Sizes(images: 1, inputs: 144, outputs: 128, height: 72, width: 68),
  ]

  /// The same of doubling and halving, with a part of a tile at the end of the small image or not.
  static let resizing = [
    Sizes(images: 2, inputs: 64, outputs: 80, height: 67, width: 65, kind: .halving),
    Sizes(images: 8, inputs: 64, outputs: 128, height: 9, width: 9, kind: .halving),
    Sizes(images: 1, inputs: 16, outputs: 32, height: 257, width: 257, kind: .halving),
    Sizes(images: 2, inputs: 128, outputs: 48, height: 33, width: 34, kind: .doubling),
    Sizes(images: 1, inputs: 256, outputs: 48, height: 64, width: 64, kind: .doubling),
    Sizes(images: 1, inputs: 32, outputs: 16, height: 128, width: 128, kind: .doubling),
  ]

  private func operands(_ sizes: Sizes, _ dtype: DType) -> (x: Tensor, w: Tensor, dy: Tensor) {
    let (I, O) = (sizes.inputs, sizes.outputs)
    let x = formulaTensor("x", [sizes.images, I, sizes.height, sizes.width]).to(dtype)
    let w = formulaTensor("w", sizes.kind == .doubling ? [I, O, 3, 3] : [O, I, 3, 3]).to(dtype)
    return (x, w, formulaTensor("dy", sizes(x, w).shape).to(dtype))
  }

  /// y, and the gradients of x and w, all in float64.
  private func results(_ sizes: Sizes, _ x: Tensor, _ w: Tensor, _ dy: Tensor) -> [Tensor] {
    let (x, w) = (x.detached().copy(), w.detached().copy())
    x.requiresGradient = true
    w.requiresGradient = true
    let y = sizes(x, w)
    let found = gradients(of: [(y * dy).sum()], withRespectTo: [x, w]).compactMap { $0 }
    return ([y] + found).map { $0.detached().to(.float64) }
  }

  @Test(arguments: sizes + resizing, [DType.float32, .bfloat16])
  func `values and gradients are those of float64`(sizes: Sizes, dtype: DType) {
    let (x, w, dy) = operands(sizes, dtype)
    let right = results(sizes, x.to(.float64), w.to(.float64), dy.to(.float64))
    for layout in [MemoryFormat.contiguous, .channelsLast] {
      let found = results(sizes, x.laidOut(layout), w, dy.laidOut(layout))
      #expect(found.count == 3)
      for (found, right) in zip(found, right) {
        let size = right.squared().mean().item.squareRoot()
        let error = (found - right).squared().mean().item.squareRoot()
        let worst = (found - right).magnitude().reshaped(-1).largest(0).item
        #expect(error <= (dtype == .float32 ? 1e-5 : 2.5e-3) * size)
        #expect(worst <= (dtype == .float32 ? 1e-4 : 2.5e-2) * size)
      }
    }
  }

  @Test(arguments: [sizes[0], sizes[1], resizing[0], resizing[3]])
  func `second derivatives are those of float64`(sizes: Sizes) {
    let (x, w, _) = operands(sizes, .float32)
    func second(_ dtype: DType) -> [Tensor] {
      let (x, w) = (x.to(dtype).copy(), w.to(dtype).copy())
      x.requiresGradient = true
      w.requiresGradient = true
      // The square makes the gradients depend on both.
      let y = sizes(x, w).squared().mean()
      let inner = gradients(of: [y], withRespectTo: [x, w], createGraph: true).compactMap { $0 }
      // A penalty on both gradients, the first of them weighed.
      let penalty = (inner[0] * x.detached().sine()).sum() + inner[1].squared().sum()
      return gradients(of: [penalty], withRespectTo: [x, w]).compactMap { $0?.to(.float64) }
    }
    for (found, right) in zip(second(.float32), second(.float64)) {
      let error = (found - right).squared().sum().item.squareRoot()
      #expect(error <= 2e-5 * right.squared().sum().item.squareRoot())
    }
  }

  @Test(arguments: [sizes[0], resizing[0], resizing[3]])
  func `bits depend neither on threads nor on the images beside one`(sizes: Sizes) {
    let (x, w, dy) = operands(sizes, .float32)
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    Runtime.threads = 1
    let one = results(sizes, x, w, dy).map(\.floats)
    // More than there are cores would slow all other tests.
    Runtime.threads = 2
    #expect(results(sizes, x, w, dy).map(\.floats) == one)
    let alone = sizes(x.sliced(0, 1..<2), w)
    #expect(sizes(x, w).sliced(0, 1..<2).floats == alone.floats)
  }

  @Test func `no image has no result, and a value that is not finite stays in its image`() {
    let (x, w, _) = operands(Self.sizes[0], .float32)
    #expect(x.sliced(0, 0..<0).convolved(w, padding: [1, 1]).shape == [0, 64, 32, 32])
    let spoilt = Tensor.concatenated([x.sliced(0, 0..<1), x.sliced(0, 1..<2) * .infinity])
    let y = spoilt.convolved(w, padding: [1, 1])
    #expect(y.sliced(0, 0..<1).floats.allSatisfy { $0.isFinite })
    #expect(y.sliced(0, 1..<2).floats.allSatisfy { !$0.isFinite })
  }
}
