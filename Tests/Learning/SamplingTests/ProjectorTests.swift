import Networks
import Testing
import Torch
import TorchTestSupport

@testable import Sampling

@Suite("Projection")
struct ProjectorTests {
  private let features = SeededRandom(seed: 5).normal([1, 6]).normalized()

  /// A generator whose picture at latent 3 is what is searched for.
  private func found(
    _ space: Projector.Space,
    steps: Int = 150,
    seed: UInt64 = 0
  ) throws -> (styles: Tensor, first: Double, last: Double, generator: Generator, target: Tensor) {
    let generator = smallGenerator()
    let fts = features
    let painter = Painter(
      generator: generator,
      truncation: 1,
      truncationCutoff: nil,
      noise: .const
    )
    let target = painter.row(fts: fts, seeds: [3])
    var settings = Projector.Settings()
    (settings.space, settings.steps, settings.seed) = (space, steps, seed)
    // An encoder that sees the mean of each channel.
    let projector = Projector(generator, settings) { $0.mean(2, 3).normalized() }
    var distances: [Double] = []
    let ws = try projector.styles(of: target, fts: fts) { distances.append($0.pixelDistance) }
    #expect(distances.count == steps)
    return (ws, distances[0], distances[steps - 1], generator, target)
  }

  @Test(arguments: Projector.Space.allCases)
  func `a picture that the generator can paint is found again`(space: Projector.Space) throws {
    let result = try found(space)
    #expect(result.last < result.first / 20, "\(result.first) → \(result.last)")
    let painter = Painter(
      generator: result.generator,
      truncation: 1,
      truncationCutoff: nil,
      noise: .const
    )
    let image = painter.images(ws: result.styles, fts: features, seeds: [0])
    let distance = (image - result.target).squared().mean().item
    #expect(distance < result.first / 20)
  }

  @Test func `in w all layers have the same style, in w+ their own`() throws {
    let w = try found(.w, steps: 5).styles
    let wPlus = try found(.wPlus, steps: 5).styles
    func spread(_ ws: Tensor) -> Double {
      (ws - ws.sliced(1, 0..<1)).squared().sum().item
    }
    #expect(spread(w) == 0)
    #expect(spread(wPlus) > 0)
  }

  @Test func `the same seed finds the same styles, another seed others`() throws {
    let first = try found(.wPlus, steps: 4).styles
    #expect(first.bytes == (try found(.wPlus, steps: 4).styles).bytes)
    #expect(first.bytes != (try found(.wPlus, steps: 4, seed: 1).styles).bytes)
  }

  @Test func `the step size rises in a twentieth, and falls to 0 in the last quarter`() {
    #expect(Projector.rate(0) == 0)
    #expect(abs(Projector.rate(0.025) - 0.5) < 1e-12)
    #expect(Projector.rate(0.05) == 1 && Projector.rate(0.75) == 1)
    #expect(abs(Projector.rate(0.875) - 0.5) < 1e-12)
    #expect(Projector.rate(1) == 0)
  }

  @Test func `an error of the observer ends the search`() {
    struct Stop: Error {}
    let generator = smallGenerator()
    let projector = Projector(generator, .init()) { $0.mean(2, 3).normalized() }
    #expect(throws: Stop.self) {
      _ = try projector.styles(of: .zeros([1, 3, 16, 16]), fts: features) { _ in
        throw Stop()
      }
    }
  }
}
