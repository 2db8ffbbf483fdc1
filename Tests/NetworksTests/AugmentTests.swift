import Foundation
import Networks
import Testing
import Torch
import TorchTestSupport

/// Gives every uniform draw the value q and every normal draw its quantile in the recording's sense
/// (without the factor √2), opens every gate, and turns only once.
private final class PercentileSource: RandomSource {
  private let q: Double
  private let postRotation: Int?
  private let noise: Tensor?
  private var draws = 0

  init(_ q: Double, postRotation: Int?, noise: Tensor?) {
    self.q = q
    self.postRotation = postRotation
    self.noise = noise
  }

  func uniform(_ shape: [Int]) -> Tensor {
    defer { draws += 1 }
    return .full(shape, draws == postRotation ? 0.5 : q)
  }

  func normal(_ shape: [Int]) -> Tensor {
    defer { draws += 1 }
    if let noise, noise.shape == shape { return noise }
    // The deviation of the noise is the only normal draw of four dimensions: a half-normal one.
    return .full(shape, inverseErrorFunction(shape.count == 4 ? q : 2 * q - 1))
  }

  func integer(in range: Range<Int>) -> Int { range.lowerBound }

  private func inverseErrorFunction(_ x: Double) -> Double {
    Tensor([x]).inverseErrorFunction().item
  }
}

@Suite("Augmentation: Golden")
struct GoldenAugmentTests {
  private struct Manifest: Decodable {
    struct Case: Decodable {
      let key: String
      let spec: String
      let debug_percentile: Double
    }
    struct Config: Decodable { let cases: [Case] }
    let config: Config
  }

  private func augmented(_ x: Tensor, _ name: String, _ q: Double, noise: Tensor?) throws -> Tensor
  {
    let configuration = try #require(AugmentConfiguration(named: name))
    let pipe = AugmentPipe(configuration, probability: 1)
    // Value and gate of: flip, quarter turn, shift (if any), scale, turn, stretch; then the second turn.
    let before = (configuration.xFlip > 0 ? 6 : 0) + 6
    let source = PercentileSource(
      q,
      postRotation: configuration.rotate > 0 ? before : nil,
      noise: noise
    )
    return pipe(x, random: source)
  }

  @Test func `every recorded percentile agrees in value and derivative`() throws {
    let golden = try Golden("augment_debug")
    let cases = try golden.manifest(Manifest.self).config.cases
    #expect(cases.count == 12)
    let R = formulaTensor("aug/R", [2, 3, 32, 32])
    for entry in cases {
      let x = golden["x"]
      x.requiresGradient = true
      let noiseKey = "noise.\(entry.key)"
      let noise = golden.contains(noiseKey) ? golden[noiseKey] : nil
      let y = try augmented(x, entry.spec, entry.debug_percentile, noise: noise)
      golden.expectClose(y.detached(), "y.\(entry.key)", rtol: 1e-4, atol: 2e-5)
      let dx = gradient(of: (y * R).sum(), withRespectTo: x)
      golden.expectClose(dx, "dx.\(entry.key)", rtol: 1e-4, atol: 2e-5)
    }
    let grey = try augmented(golden["x"].sliced(1, 0..<1), "bgc", 0.3, noise: nil)
    golden.expectClose(grey, "y.gray", rtol: 1e-4, atol: 2e-5)
  }

  @Test func `the draws come in the recorded order`() throws {
    let golden = try Golden("loss_A_Dmain_aug")
    // The first augmentation's 26 draws follow the generator's 11.
    let recorded = (11..<37).map { golden["rand.0\($0)"] }
    let normals: Set = [17, 21, 25, 27, 29, 35]
    let replay = ReplayedRandom(
      zip(11..<37, recorded).map { .init(normals.contains($0) ? .normal : .uniform, $1) }
    )
    let configuration = try #require(AugmentConfiguration(named: "bgc"))
    let pipe = AugmentPipe(configuration, probability: 0.6)
    let y = pipe(formulaTensor("any", [4, 3, 32, 32]), random: replay)
    #expect(replay.isExhausted)
    #expect(y.shape == [4, 3, 32, 32])
  }
}

@Suite("Augmentation")
struct AugmentTests {
  private func pipe(_ name: String, _ probability: Double) throws -> AugmentPipe {
    AugmentPipe(try #require(AugmentConfiguration(named: name)), probability: probability)
  }

  @Test func `probability 0 leaves pixels alone`() throws {
    let x = formulaTensor("x", [3, 3, 48, 48])
    for name in ["blit", "color", "filter", "noise", "cutout"] {
      let y = try pipe(name, 0)(x, random: SeededRandom(seed: 1))
      // Resampling at double resolution and the filter bank reproduce their input up to rounding.
      expectClose(y, x, rtol: 0, atol: name == "blit" ? 0.03 : 1e-4, name)
    }
  }

  @Test func `a quarter turn and a flip move pixels exactly`() throws {
    let x = Tensor((0..<64 * 64).map(Float.init), shape: [1, 1, 64, 64]) / 4096
    var configuration = AugmentConfiguration()
    configuration.xFlip = 1
    let flip = AugmentPipe(configuration, probability: 1)
    // The draw 0.75 flips, and opens a gate of probability 1.
    let flipped = flip(x, random: PercentileSource(0.75, postRotation: nil, noise: nil))
    let inner = { (t: Tensor) in t.sliced(2, 8..<56).sliced(3, 8..<56) }
    expectClose(inner(flipped), inner(x.flipped(3)), rtol: 0, atol: 2e-3)
  }

  @Test func `gradients of gradients exist, for R1`() throws {
    let x = formulaTensor("x", [2, 3, 32, 32])
    x.requiresGradient = true
    let y = try pipe("bgc", 0.8)(x, random: SeededRandom(seed: 2))
    let first = gradient(of: y.squared().sum(), withRespectTo: x, createGraph: true)
    let second = gradient(of: first.squared().sum(), withRespectTo: x)
    #expect(second.isFinite && second.magnitude().sum().item > 0)
  }

  @Test func `names compose groups and unknown names are none`() throws {
    #expect(AugmentConfiguration(named: "bgcfnc")?.cutout == 1)
    #expect(AugmentConfiguration(named: "bgfn")?.hue == 0)
    #expect(AugmentConfiguration(named: "everything") == nil)
    #expect(AugmentConfiguration.names.count == 12)
  }
}
