import TestSupport
import Testing
import Torch

@testable import Networks

@Suite("DiffAugment")
struct DiffAugmentTests {
  /// Numbers that change nothing: the middle of each range, and a cutout that is not asked for.
  private static let neutral = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]

  private func draws(_ changes: [Int: Double]) -> Tensor {
    var row = Self.neutral
    for (index, value) in changes { row[index] = value }
    return Tensor(row.map(Float.init), shape: [1, DiffAugment.drawCount])
  }

  /// 1 at one pixel of a black image of 8².
  private func dot(_ row: Int, _ column: Int) -> Tensor {
    var pixels = [Float](repeating: 0, count: 64)
    pixels[row * 8 + column] = 1
    return Tensor(pixels, shape: [1, 1, 8, 8])
  }

  @Test func `neutral draws change neither colours nor places`() {
    let images = SeededRandom(seed: 1).uniform([1, 3, 8, 8])
    let augment = DiffAugment([.color, .translation])
    let difference = augment.apply(images, draws: draws([:])) - images
    #expect(difference.magnitude().largest(0, 1, 2, 3).item < 1e-6)
  }

  @Test func `brightness is added, saturation and contrast stretch about their means`() {
    let pixels = Tensor([Float(0.2), 0.4, 0.6, 0, 0, 0], shape: [1, 3, 1, 2])
    let color = DiffAugment([.color])
    // Columns have the channel values (0.2, 0.6, 0) and (0.4, 0, 0).
    #expect(
      near(color.apply(pixels, draws: draws([0: 0.75])), [0.45, 0.65, 0.85, 0.25, 0.25, 0.25])
    )
    let mean: [Float] = [0.8 / 3, 0.4 / 3]
    #expect(
      near(
        color.apply(pixels, draws: draws([1: 0])),
        [mean[0], mean[1], mean[0], mean[1], mean[0], mean[1]]
      )
    )
    #expect(
      near(
        color.apply(pixels, draws: draws([2: 0])),
        [0.2, 0.4, 0.6, 0, 0, 0].map { ($0 - 0.2) / 2 + 0.2 }
      )
    )
  }

  private func near(_ tensor: Tensor, _ expected: [Float]) -> Bool {
    zip(tensor.floats, expected).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test(arguments: [(0.0, -1), (0.34, 0), (0.99, 1)])
  func `a shift moves whole pixels by an eighth at most, and grey comes in`(draw: Double, by: Int) {
    let augment = DiffAugment([.translation])
    #expect(augment.apply(dot(3, 4), draws: draws([3: draw])).floats == dot(3 + by, 4).floats)
    #expect(augment.apply(dot(3, 4), draws: draws([4: draw])).floats == dot(3, 4 + by).floats)
    let edge = augment.apply(dot(7, 0), draws: draws([3: 0.99])).floats
    #expect(edge.allSatisfy { $0 == 0 })
  }

  @Test func `a square of half the side is cut out, of which a part may lie outside`() {
    let ones = Tensor.ones([1, 2, 8, 8])
    let augment = DiffAugment([.cutout])
    let inside = augment.apply(ones, draws: draws([5: 0.5, 6: 0.5]))
    #expect(inside.sum().item == Double(2 * (64 - 16)))
    let corner = augment.apply(ones, draws: draws([5: 0, 6: 0]))
    #expect(corner.sum().item == Double(2 * (64 - 4)))
    #expect(corner.sliced(2, 0..<2).sliced(3, 0..<2).sum().item == 0)
  }

  @Test func `gradients reach the images through all changes, also the second ones`() {
    let images = SeededRandom(seed: 4).uniform([2, 3, 8, 8]).to(.float64)
    images.requiresGradient = true
    let draws = SeededRandom(seed: 5).uniform([2, DiffAugment.drawCount]).to(.float64)
    let augmented = DiffAugment().apply(images, draws: draws)
    // The changes are affine: the gradient of Σ y³ is 3 y² through the same map.
    let slopes = gradient(
      of: (augmented.squared() * augmented).sum(),
      withRespectTo: images,
      createGraph: true
    )
    let second = gradient(of: slopes.squared().sum(), withRespectTo: images, createGraph: false)
    let step = SeededRandom(seed: 6).normal([2, 3, 8, 8]).to(.float64)
    func squares(_ shift: Double) -> Double {
      let moved = (images.detached() + step * shift).detached()
      moved.requiresGradient = true
      let y = DiffAugment().apply(moved, draws: draws)
      return gradient(of: (y.squared() * y).sum(), withRespectTo: moved, createGraph: false)
        .squared().sum().item
    }
    let numeric = (squares(1e-5) - squares(-1e-5)) / 2e-5
    let analytic = (second * step).sum().item
    #expect(abs(numeric - analytic) < 1e-5 * max(abs(numeric), 1))
  }

  @Test func `names of changes are read in any order, and others are refused`() {
    #expect(DiffAugment("cutout,color")?.words == "color,cutout")
    #expect(DiffAugment("translation") == DiffAugment([.translation]))
    for words in ["", "color,", "colour", "color cutout"] { #expect(DiffAugment(words) == nil) }
  }
}
