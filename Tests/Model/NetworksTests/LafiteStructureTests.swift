import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("LAFITE's structure")
struct LafiteStructureTests {
  private let random = SeededRandom(seed: 1)

  private func generatorShape() -> GeneratorConfiguration {
    .small()
  }

  private func discriminatorShape() -> DiscriminatorConfiguration {
    var shape = DiscriminatorConfiguration.small()
    shape.minibatchGroup = 1
    return shape
  }

  @Test func `above the change the styles have the affine structure, up to it the joined one`() {
    var shape = generatorShape()
    shape.structureChange = 8
    let names = Set(Generator(shape, random: random).state.map(\.name))
    #expect(names.contains("synthesis.b8.conv0.pre_0.weight"))
    #expect(names.contains("synthesis.b8.torgb.affine_0.bias"))
    #expect(!names.contains("synthesis.b8.conv0.affine.weight"))
    for layer in ["conv0", "conv1", "torgb"] {
      #expect(names.contains("synthesis.b16.\(layer).affine.weight"))
      for index in 0..<3 {
        #expect(names.contains("synthesis.b16.\(layer).scale_layer_\(index).weight"))
        #expect(names.contains("synthesis.b16.\(layer).bias_layer_\(index).bias"))
      }
      #expect(!names.contains("synthesis.b16.\(layer).pre_0.weight"))
    }
  }

  @Test func `both structures paint, and every parameter but the unused noise takes part`() throws {
    for change in [4, 256] {
      var shape = generatorShape()
      shape.structureChange = change
      let network = Generator(shape, random: random)
      let image = network(
        random.normal([2, 8]),
        fts: random.normal([2, 6]).normalized(),
        noiseMode: .constant
      )
      #expect(image.shape == [2, 3, 16, 16])
      let named = network.namedParameters
      let all = gradients(of: [image.squared()], withRespectTo: named.map(\.tensor))
      for (entry, gradient) in zip(named, all) {
        let gradient = try #require(gradient, "\(entry.name) takes no part")
        #expect(gradient.isFinite)
      }
    }
  }

  @Test func `the feature scale is the same as a longer feature`() {
    var shape = generatorShape()
    let plain = Generator(shape, random: random)
    shape.featureScale = 8
    let scaled = Generator(shape, random: random)
    scaled.copyState(from: plain)
    let (z, fts) = (random.normal([2, 8]), random.normal([2, 6]).normalized())
    expectClose(
      scaled(z, fts: fts, noiseMode: .constant).detached(),
      plain(z, fts: fts * 8, noiseMode: .constant).detached(),
      rtol: 1e-6,
      atol: 1e-6
    )
  }

  @Test func `a summed feature logit couples the batch, one per sample does not`() {
    let images = random.uniform([2, 3, 16, 16]) * 2 - 1
    let fts = random.normal([2, 6]).normalized()
    for form in FeatureLogit.allCases {
      var shape = discriminatorShape()
      shape.featureLogit = form
      let network = Discriminator(shape, random: SeededRandom(seed: 2))
      let both = network(images, fts: fts).logits.floats[0]
      let alone = network(images.sliced(0, 0..<1), fts: fts.sliced(0, 0..<1)).logits.floats[0]
      #expect((abs(both - alone) < 1e-5) == (form == .perSample))
    }
  }

  @Test func `normalised features have unit length, and without the head there are none`() throws {
    let images = random.uniform([3, 3, 16, 16]) * 2 - 1
    let fts = random.normal([3, 6]).normalized()
    var shape = discriminatorShape()
    shape.normalizesFeatures = true
    let features = try #require(
      Discriminator(shape, random: random)(images, fts: fts).features
    )
    for length in features.norm(1).floats { expectClose(Double(length), 1, atol: 1e-6) }
    shape.usesFeatures = false
    let plain = Discriminator(shape, random: random)
    #expect(plain(images, fts: fts).features == nil)
    #expect(!plain.state.contains { $0.name.contains("fts") })
  }

  @Test func `reduced precision stays near full precision`() {
    var shape = generatorShape()
    let full = Generator(shape, random: random)
    shape.reducedPrecisionResolutions = 4
    let reduced = Generator(shape, random: random)
    reduced.copyState(from: full)
    let (z, fts) = (random.normal([2, 8]), random.normal([2, 6]).normalized())
    let exact = full(z, fts: fts, noiseMode: .constant).detached()
    let near = reduced(z, fts: fts, noiseMode: .constant).detached()
    #expect(near.dtype == .float32)
    let error = (near - exact).squared().mean().item / exact.squared().mean().item
    #expect(error > 0 && error.squareRoot() < 2e-2)
  }
}
