import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// Networks with class labels, beside StyleGAN2-ADA's formulas (arXiv 2006.06676) on plain numbers.
@Suite("Class labels in networks")
struct ClassLabelTests {
  private let random = SeededRandom(seed: 1)
  private let labels = Tensor([1, 0, 0, 0.25, 0, 1] as [Float], shape: [2, 3])

  private func generator(labelDimension: Int? = 3, featureDimension: Int = 6) -> Generator {
    var shape = GeneratorConfiguration.small()
    shape.labelDimension = labelDimension
    shape.featureDimension = featureDimension
    return filled(Generator(shape, random: random))
  }

  private func discriminator(labelDimension: Int? = 3) -> Discriminator {
    var shape = DiscriminatorConfiguration.small()
    shape.labelDimension = labelDimension
    shape.usesFeatures = false
    shape.minibatchGroup = 1
    return filled(Discriminator(shape, random: random))
  }

  /// Biases are 0 at first: a formula without them would pass.
  private func filled<Network: Module>(_ network: Network) -> Network {
    for entry in network.state where entry.name.hasSuffix("bias") {
      withoutGradients { entry.tensor.assign(random.normal(entry.tensor.shape)) }
    }
    return network
  }

  /// The vectors of a mapping, computed by hand.
  ///
  /// - Parameters:
  ///   - z: A latent; none in the discriminator.
  ///   - label: The label.
  ///   - state: Tensors by name.
  /// - Returns: w.
  private func mapped(_ z: [Double], _ label: [Double], _ state: [String: Tensor]) -> [Double] {
    func normalised(_ x: [Double]) -> [Double] {
      let mean = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
      return x.map { $0 / (mean + 1e-8).squareRoot() }
    }
    func layer(_ name: String, _ x: [Double], multiplier: Double) -> [Double] {
      guard let weight = state["mapping.\(name).weight"], let bias = state["mapping.\(name).bias"]
      else {
        Issue.record("there is no mapping.\(name)")
        return x
      }
      let (rows, offsets) = (weight.floats.map(Double.init), bias.floats.map(Double.init))
      #expect(rows.count == offsets.count * x.count, "mapping.\(name) takes \(x.count) numbers")
      return offsets.indices.map { row in
        let product = x.indices.reduce(0) { $0 + rows[row * x.count + $1] * x[$1] }
        return product * multiplier / Double(x.count).squareRoot() + offsets[row] * multiplier
      }
    }
    var x = z.isEmpty ? [] : normalised(z)
    x += normalised(layer("embed", label, multiplier: 1))
    let count = state.keys.count { $0.hasPrefix("mapping.fc") && $0.hasSuffix("weight") }
    for index in 0..<count {
      x = layer("fc\(index)", x, multiplier: 0.01).map {
        $0 * ($0 < 0 ? 0.2 : 1) * 2.0.squareRoot()
      }
    }
    return x
  }

  private func rows(_ tensor: Tensor) -> [[Double]] {
    (0..<tensor.size(0)).map { tensor.sliced(0, $0..<$0 + 1).floats.map(Double.init) }
  }

  @Test func `w is the mapping of latent and embedded label`() {
    let network = generator()
    let z = random.normal([2, 8])
    let expected = zip(rows(z), rows(labels)).flatMap { mapped($0, $1, network.stateDictionary) }
    let ws = network.mapping(z, labels: labels).detached()
    for layer in 0..<network.mapping.wCount {
      expectClose(
        ws.selected(1, layer),
        Tensor(expected.map { Float($0) }, shape: [2, 8]),
        rtol: 1e-4,
        atol: 1e-7
      )
    }
  }

  @Test func `the logit is projected on the mapped label`() {
    let network = discriminator()
    let state = network.stateDictionary
    #expect(state.keys.count { $0.hasPrefix("mapping.fc") } == 16)
    // Without weights the last layer gives its bias, whatever the image.
    withoutGradients { state["b4.out.weight"]?.fill(0) }
    let out = state["b4.out.bias"]?.floats.map(Double.init) ?? []
    let expected = rows(labels).map { label in
      let mapped = mapped([], label, state)
      #expect(mapped.count == out.count && out.count == 8)
      return Float(zip(out, mapped).reduce(0) { $0 + $1.0 * $1.1 } / 8.0.squareRoot())
    }
    let judged = network(random.normal([2, 3, 16, 16]), fts: .zeros([2, 6]), labels: labels)
    expectClose(judged.logits.detached(), Tensor(expected, shape: [2, 1]), rtol: 1e-4, atol: 1e-8)
  }

  @Test func `the derivatives by latent and label are those of differences, in float64`() {
    let (G, D) = (generator(), discriminator())
    let z = random.normal([2, 8]).to(.float64)
    let label = random.normal([2, 3]).to(.float64)
    let weights = random.normal([2, 8]).to(.float64)
    // w is small: its layers learn at a hundredth.
    func value(_ ws: Tensor) -> Tensor {
      (ws.selected(1, 0) * weights * 100).tanh().squared().sum()
    }
    expectGradient(at: z) { value(G.mapping($0, labels: label)) }
    expectGradient(at: label) { value(G.mapping(z, labels: $0)) }
    let image = random.normal([2, 3, 16, 16])
    expectGradient(at: label) {
      (D(image, fts: .zeros([2, 6]), labels: $0).logits * 100).tanh().squared().sum()
    }
  }

  @Test func `every parameter of the mappings has a derivative, of the second order, too`() throws {
    let (G, D) = (generator(), discriminator())
    let z = random.normal([2, 8])
    let ws = G.mapping(z, labels: labels)
    let image = G.synthesize(ws, fts: random.normal([2, 6]), noiseMode: .none).image
    let slopes = gradient(of: image.squared().sum(), withRespectTo: ws, createGraph: true)
    let real = random.normal([2, 3, 16, 16])
    real.requiresGradient = true
    let logits = D(real, fts: .zeros([2, 6]), labels: labels).logits
    let penalty = gradient(of: logits.sum(), withRespectTo: real, createGraph: true)
    for (network, value) in [(G as any Module, slopes), (D, penalty)] {
      let own = network.namedParameters.filter { $0.name.hasPrefix("mapping.") }
      #expect(own.contains { $0.name == "mapping.embed.weight" })
      let all = gradients(of: [value.squared().sum()], withRespectTo: own.map(\.tensor))
      for (entry, gradient) in zip(own, all) {
        let gradient = try #require(gradient, "\(entry.name) takes no part")
        #expect(gradient.isFinite && gradient.floats.contains { $0 != 0 }, "\(entry.name)")
      }
    }
  }

  @Test func `the mean of w is over latents and labels, and truncation leads to it`() {
    let network = generator()
    let z = random.normal([2, 8])
    let w = network.mapping(z, labels: labels, updatingAverage: true).detached().selected(1, 0)
    expectClose(network.mapping.wAverage, w.mean(0) * 0.005, rtol: 1e-5, atol: 1e-9)
    let none = network.mapping(z, labels: labels, truncation: 0).detached()
    #expect(none.selected(1, 0).floats == network.mapping.wAverage.expanded(2, -1).floats)
  }

  @Test func `without labels no layer is more and no number drawn`() {
    let own = generator(labelDimension: nil)
    #expect(!own.state.contains { $0.name.contains("embed") })
    #expect(!discriminator(labelDimension: nil).state.contains { $0.name.contains("mapping") })
    #expect(own.stateDictionary["mapping.fc0.weight"]?.shape == [8, 8])
  }

  @Test func `a generator without features has StyleGAN2's styles, and the feature plays no part`()
  {
    let network = generator(featureDimension: 0)
    let names = network.state.map(\.name)
    #expect(names.contains("synthesis.b16.torgb.affine.weight"))
    #expect(!names.contains { $0.contains("pre_") || $0.contains("_layer_") })
    let z = random.normal([2, 8])
    let images = [Tensor.zeros([2, 0]), random.normal([2, 6])].map {
      network(z, fts: $0, labels: labels, noiseMode: .none).floats
    }
    #expect(images[0] == images[1] && images[0].contains { $0 != 0 })
  }

  @Test func `labels for a network without classes, and none for one with, end the program`() async
  {
    await #expect(processExitsWith: .failure) {
      let shape = GeneratorConfiguration.small()
      let network = Generator(shape, random: SeededRandom(seed: 1))
      _ = network.mapping(.zeros([1, 8]), labels: .zeros([1, 3]))
    }
    await #expect(processExitsWith: .failure) {
      var shape = DiscriminatorConfiguration.small()
      shape.labelDimension = 3
      let network = Discriminator(shape, random: SeededRandom(seed: 1))
      _ = network(.zeros([1, 3, 16, 16]), fts: .zeros([1, 6]))
    }
  }
}
