import Foundation
import Networks
import Testing
import Torch
import TorchTestSupport

@testable import CLIP

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
  /// The transforms of a case: named in the manifest's `specs`, or one of the published sets.
  private func transforms(_ name: String, _ config: [String: Any]) throws -> AugmentConfiguration {
    let specs = config.object("specs")
    guard specs[name] != nil else { return try #require(AugmentConfiguration(named: name)) }
    let spec = specs.object(name).compactMapValues { ($0 as? NSNumber)?.doubleValue }
    return try #require(AugmentConfiguration(keywords: spec), "unknown transforms in \(spec)")
  }

  private func augmented(
    _ x: Tensor,
    _ configuration: AugmentConfiguration,
    _ q: Double,
    noise: Tensor?
  ) -> Tensor {
    let pipe = AugmentPipe(configuration, probability: 1)
    // Each transform before the second turn makes two draws: value and gate.
    let c = configuration
    let before = 2 * [c.xFlip, c.rotate90, c.xInt, c.scale, c.rotate, c.aniso].count { $0 > 0 }
    let source = PercentileSource(q, postRotation: c.rotate > 0 ? before : nil, noise: noise)
    return pipe(x, random: source)
  }

  @Test func `every recorded percentile agrees in value and derivative`() throws {
    let golden = try Golden("augment_debug")
    let config = try Manifest(of: "augment_debug.safetensors").config
    #expect(!config.cases("cases").isEmpty)
    let x = golden["x"]
    let R = formulaTensor("aug/R", x.shape)
    for entry in config.cases("cases") {
      let (key, q) = (entry.text("key"), try #require(entry.double("debug_percentile")))
      let x = golden["x"]
      x.requiresGradient = true
      let noise = golden.contains("noise.\(key)") ? golden["noise.\(key)"] : nil
      let y = augmented(x, try transforms(entry.text("spec"), config), q, noise: noise)
      golden.expectClose(y.detached(), "y.\(key)", rtol: 1e-4, atol: 2e-5)
      let dx = gradient(of: (y * R).sum(), withRespectTo: x)
      golden.expectClose(dx, "dx.\(key)", rtol: 1e-4, atol: 2e-5)
    }
    let grey = augmented(
      x.sliced(1, 0..<1),
      try transforms("bgc", config),
      0.3,
      noise: nil
    )
    golden.expectClose(grey, "y.gray", rtol: 1e-4, atol: 2e-5)
  }

  /// Recorded draws of whole passes, where the folder has them; Tests/Goldens/README.md says how.
  @Test(arguments: Manifest.files(prefix: "augment_random"))
  func `every recorded pass gives the recorded images`(file: String) throws {
    let golden = try Golden(file)
    let config = try Manifest(of: "\(file).safetensors").config
    let cases = config.cases("cases")
    #expect(!cases.isEmpty)
    for entry in cases {
      let key = try #require(entry.int("key"))
      let shape = try transforms(entry.text("spec"), config)
      let p = try #require(entry.double("p"))
      let draws = try #require(entry["draws"] as? [[Any]])
      #expect(!draws.isEmpty)
      let replay = ReplayedRandom(
        try draws.map { row in
          let name = try #require(row.first as? String)
          return .init(function: try #require(row.dropFirst().first as? String), golden[name])
        }
      )
      let x = formulaTensor("aug/x4", [4, 3, 32, 32], scale: 0.4)
      let y = AugmentPipe(shape, probability: p)(x, random: replay)
      #expect(replay.isExhausted, "\(replay.position) of \(draws.count) draws were made")
      golden.expectClose(y, "y.\(key)", rtol: 1e-4, atol: 2e-5)
    }
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

  @Test func `transforms have the original's keywords`() throws {
    let all = try #require(AugmentConfiguration(named: "bgcfnc"))
    #expect(all.keywords.count == 15 && all.keywords.values.allSatisfy { $0 == 1 })
    #expect(AugmentConfiguration(keywords: all.keywords) == all)
    #expect(
      AugmentConfiguration(named: "blit")?.keywords.keys.sorted() == ["rotate90", "xflip", "xint"]
    )
    #expect(AugmentConfiguration(keywords: ["wobble": 1]) == nil)
  }

  @Test func `names compose groups and unknown names are none`() throws {
    #expect(AugmentConfiguration(named: "bgcfnc")?.cutout == 1)
    #expect(AugmentConfiguration(named: "bgfn")?.hue == 0)
    #expect(AugmentConfiguration(named: "everything") == nil)
    #expect(AugmentConfiguration.names.count == 12)
  }
}
