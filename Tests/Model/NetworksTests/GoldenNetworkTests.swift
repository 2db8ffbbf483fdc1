import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Golden networks")
struct GoldenNetworkTests {
  static let generators = Manifest.files(prefix: "net", suffix: "_G_golden")
  static let discriminators = Manifest.files(prefix: "net", suffix: "_D_golden")

  private func leaf(_ tensor: Tensor) -> Tensor {
    tensor.requiresGradient = true
    return tensor
  }

  @Test func `the folder holds generators and discriminators`() {
    #expect(Self.generators.count >= 2)
    #expect(Self.discriminators.count >= 2)
  }

  private func generator(_ file: String) throws -> Generator {
    let config = try Manifest(of: "\(file).safetensors").config
    let network = Generator(
      GoldenNetwork.generatorConfiguration(config),
      reducedPrecision: .float16,
      random: SeededRandom(seed: 0)
    )
    let state = try Golden.state(String(file.prefix { $0 != "_" }), "G")
    try network.load(state, matching: file.hasPrefix("netA") ? .exact : .byName)
    let names = Set(network.state.map(\.name))
    #expect(state.keys.allSatisfy(names.contains), "names differ: \(file)")
    let parameters = network.namedParameters.map(\.name)
    #expect(parameters.allSatisfy { state[$0] != nil }, "the state lacks parameters: \(file)")
    return network
  }

  @Test(arguments: generators) func `a generator paints the recorded images`(file: String) throws {
    let golden = try Golden(file)
    let network = try generator(file)
    let (z, fts) = (golden["z"], golden["fts"])
    let ws = network.mapping(z)
    golden.expectClose(ws.selected(1, 0).detached(), "w", rtol: 1e-5, atol: 1e-5)
    let output = network.synthesize(ws, fts: fts, noiseMode: .constant)
    golden.expectClose(output.image.detached(), "img.eval", rtol: 1e-4, atol: 1e-4)
    golden.expectClose(output.image.detached(), "img.train", rtol: 1e-4, atol: 1e-4)
    for (index, style) in output.styles.enumerated() {
      let name = "styles." + (index < 10 ? "0" : "") + String(index)
      golden.expectClose(style.detached(), name, rtol: 1e-5, atol: 1e-5)
    }
    #expect(golden.names.filter { $0.hasPrefix("styles.") }.count == output.styles.count)
    golden.expectClose(
      network(z, fts: fts, noiseMode: .none).detached(),
      "img.eval.nonoise",
      rtol: 1e-4,
      atol: 1e-4
    )
    let (z0, fts0) = (z.sliced(0, 0..<1), fts.sliced(0, 0..<1))
    golden.expectClose(
      network(z0, fts: fts0, truncation: 0.5, noiseMode: .constant).detached(),
      "img.trunc05",
      rtol: 1e-4,
      atol: 1e-4
    )
    golden.expectClose(
      network(z0, fts: fts0, truncation: 0.7, truncationCutoff: 4, noiseMode: .constant)
        .detached(),
      "img.trunc07cut4",
      rtol: 1e-4,
      atol: 1e-4
    )
    let draws = golden.names.filter { $0.hasPrefix("noise.") }
    let replay = ReplayedRandom(draws.map { .init(.normal, golden[$0]) })
    let noisy = network(
      z.sliced(0, 0..<2),
      fts: fts.sliced(0, 0..<2),
      noiseMode: .random(replay)
    )
    golden.expectClose(noisy.detached(), "img.random_noise", rtol: 1e-4, atol: 1e-4)
    #expect(replay.isExhausted)
    network.mapping.wAverage.assign(golden["w_avg.before"])
    _ = network.mapping(z, updatingAverage: true)
    golden.expectClose(network.mapping.wAverage, "w_avg.after", rtol: 1e-5, atol: 1e-6)
  }

  @Test(arguments: generators) func `a generator's gradients are the recorded ones`(
    file: String
  ) throws {
    try withDirectConvolutions {
      let golden = try Golden(file)
      let network = try generator(file)
      let (z, fts) = (leaf(golden["z"]), leaf(golden["fts"]))
      let named = network.namedParameters
      let image = network(z, fts: fts, noiseMode: .constant)
      let all = gradients(
        of: [image * golden["R"]],
        withRespectTo: [z, fts] + named.map(\.tensor)
      )
      golden.expectClose(try #require(all[0]), "grad_in.z", rtol: 1e-4, atol: 2e-4)
      golden.expectClose(try #require(all[1]), "grad_in.fts", rtol: 1e-4, atol: 1e-3)
      for (entry, value) in zip(named, all.dropFirst(2)) {
        let value = try #require(value)
        let scale = value.largestMagnitude(keeping: false).item
        golden.expectClose(value, "grad.\(entry.name)", rtol: 1e-4, atol: 1e-5 * max(scale, 1))
      }
    }
  }

  @Test(arguments: generators) func `a generator's path length agrees to the second derivative`(
    file: String
  ) throws {
    try withDirectConvolutions {
      let golden = try Golden(file)
      let network = try generator(file)
      let named = network.namedParameters
      let noise = golden["pl.noise"]
      let count = noise.size(0)
      let ws = network.mapping(golden["z"].sliced(0, 0..<count))
      let image = network.synthesize(
        ws,
        fts: golden["fts"].sliced(0, 0..<count),
        noiseMode: .constant
      ).image
      // The recorded noise is already divided by the root of the number of pixels.
      let slopes = gradient(of: image * noise, withRespectTo: ws, createGraph: true)
      golden.expectClose(slopes.detached(), "pl.grads_ws", rtol: 1e-4, atol: 1e-5)
      let lengths = slopes.squared().sum(2).mean(1).squareRoot()
      golden.expectClose(lengths.detached(), "pl.lengths", rtol: 1e-4, atol: 1e-5)
      let mean = golden["pl.mean_before"].interpolated(to: lengths.mean(), weight: 0.01)
      golden.expectClose(mean.detached(), "pl.mean_after", rtol: 1e-4, atol: 1e-5)
      let penalty = (lengths - mean).squared()
      golden.expectClose(penalty.detached(), "pl.penalty", rtol: 2e-4, atol: 1e-5)
      let all = gradients(of: [(penalty * 2).mean()], withRespectTo: named.map(\.tensor))
      for (entry, value) in zip(named, all) {
        // What plays no part has no gradient here; the recording has zeros for some of it.
        let isRecorded = golden.names.contains { $0.hasPrefix("plgrad.\(entry.name)") }
        guard isRecorded || value != nil else { continue }
        let value = value ?? .zeros(like: entry.tensor)
        let size = value.largestMagnitude(keeping: false).item
        golden.expectClose(value, "plgrad.\(entry.name)", rtol: 1e-3, atol: 1e-4 * max(size, 1e-3))
      }
    }
  }

  /// Winograd's algorithm changes the last bits of what a leaky ReLU reads.
  ///
  /// The few inputs that are nearest to zero then have the other slope, which a gradient shows as 10⁻³ of its
  /// length; their sum over an image may be all there is of the noise's strength.
  @Test(arguments: generators)
  func `gradients after Winograd's convolutions are nearly the direct ones`(
    file: String
  ) throws {
    let golden = try Golden(file)
    let network = try generator(file)
    func all() -> [Tensor] {
      let image = network(golden["z"], fts: golden["fts"], noiseMode: .constant)
      let found = gradients(
        of: [image * golden["R"]],
        withRespectTo: network.namedParameters.map(\.tensor)
      )
      return found.compactMap { $0?.reshaped(-1) }
    }
    let direct = Tensor.concatenated(withDirectConvolutions { all() })
    let other = Tensor.concatenated(all())
    let error = (other - direct).squared().sum().item / direct.squared().sum().item
    #expect(error.squareRoot() <= 1e-2)
  }

  private func discriminator(_ file: String) throws -> Discriminator {
    let config = try Manifest(of: "\(file).safetensors").config
    let network = Discriminator(
      GoldenNetwork.discriminatorConfiguration(config),
      reducedPrecision: .float16,
      random: SeededRandom(seed: 0)
    )
    let state = try Golden.state(String(file.prefix { $0 != "_" }), "D")
    try network.load(state, matching: file.hasPrefix("netA") ? .exact : .byName)
    let names = Set(network.state.map(\.name))
    #expect(state.keys.allSatisfy(names.contains), "names differ: \(file)")
    return network
  }

  @Test(arguments: discriminators) func `a discriminator judges as recorded`(file: String) throws {
    try withDirectConvolutions {
      let golden = try Golden(file)
      let network = try discriminator(file)
      let named = network.namedParameters
      let (img, fts) = (leaf(golden["img"]), leaf(golden["fts"]))
      let output = network(img, fts: fts)
      golden.expectClose(output.logits.detached(), "logits", rtol: 1e-4, atol: 2e-5)
      var outputs = [output.logits * golden["Rl"]]
      if let features = output.features {
        golden.expectClose(features.detached(), "d_fts", rtol: 1e-4, atol: 1e-5)
        outputs.append(features * golden["Rd"])
      }
      let all = gradients(
        of: outputs,
        withRespectTo: [img, fts] + named.map(\.tensor),
        retainGraph: true
      )
      golden.expectClose(try #require(all[0]), "grad_in.img", rtol: 1e-4, atol: 1e-5)
      if let value = all[1] { golden.expectClose(value, "grad_in.fts", rtol: 1e-4, atol: 1e-5) }
      for (entry, value) in zip(named, all.dropFirst(2)) {
        let value = try #require(value, "no gradient for \(entry.name)")
        let size = value.largestMagnitude(keeping: false).item
        golden.expectClose(value, "grad.\(entry.name)", rtol: 1e-4, atol: 1e-5 * max(size, 1))
      }
      for count in [1, 2] where golden.contains("logits.n\(count)") {
        let few = network(
          golden["img"].sliced(0, 0..<count),
          fts: golden["fts"].sliced(0, 0..<count)
        )
        golden.expectClose(few.logits.detached(), "logits.n\(count)", rtol: 1e-4, atol: 2e-5)
        if let features = few.features {
          golden.expectClose(features.detached(), "d_fts.n\(count)", rtol: 1e-4, atol: 1e-5)
        }
      }
    }
  }

  @Test(arguments: discriminators) func `a discriminator's R1 agrees to the second derivative`(
    file: String
  ) throws {
    try withDirectConvolutions {
      let golden = try Golden(file)
      let network = try discriminator(file)
      let named = network.namedParameters
      let img = leaf(golden["img"])
      let output = network(img, fts: golden["fts"])
      let slopes = gradient(of: output.logits, withRespectTo: img, createGraph: true)
      golden.expectClose(slopes.detached(), "r1.grads_img", rtol: 1e-4, atol: 1e-5)
      let penalty = slopes.squared().sum(1, 2, 3)
      golden.expectClose(penalty.detached(), "r1.penalty", rtol: 1e-4, atol: 1e-6)
      let loss = (output.logits * 0 + penalty * (1.7 / 2)).mean()
      let all = gradients(of: [loss], withRespectTo: named.map(\.tensor))
      for (entry, value) in zip(named, all) {
        guard let value else {
          #expect(!golden.contains("r1grad.\(entry.name)"), "no gradient for \(entry.name)")
          continue
        }
        let size = value.largestMagnitude(keeping: false).item
        golden.expectClose(value, "r1grad.\(entry.name)", rtol: 1e-3, atol: 1e-5 * max(size, 1e-2))
      }
    }
  }
}
