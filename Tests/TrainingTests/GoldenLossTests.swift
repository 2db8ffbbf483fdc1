import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport
import Training

@Suite("Golden losses")
struct GoldenLossTests {
  static let phases = Manifest.files(prefix: "loss_")

  @Test func `the contrastive loss agrees for every balance and temperature`() throws {
    let golden = try Golden("contra_loss")
    let cases = try Manifest(of: "contra_loss.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let (key, count) = (entry.text("key"), entry.int("N") ?? 0)
      let (a, b) = (golden["a.N\(count)"], golden["b.N\(count)"])
      a.requiresGradient = true
      b.requiresGradient = true
      let y = contrastiveAgreement(
        a,
        b,
        temperature: entry.double("temp") ?? 0,
        lambda: entry.double("lam") ?? 0,
        form: .lafite
      )
      golden.expectClose(y.detached(), "y.\(key)", rtol: 1e-5, atol: 2e-6)
      let all = gradients(of: [y], withRespectTo: [a, b])
      golden.expectClose(try #require(all[0]), "da.\(key)", rtol: 1e-4, atol: 1e-5)
      golden.expectClose(try #require(all[1]), "db.\(key)", rtol: 1e-4, atol: 1e-5)
    }
  }

  @Test func `CLIP's view of an image agrees in value and derivative`() throws {
    let golden = try Golden("full_preprocess")
    let cases = try Manifest(of: "full_preprocess.safetensors").cases
    #expect(!cases.isEmpty)
    for entry in cases {
      let (key, size) = (entry.int("key") ?? -1, entry.int("size") ?? 0)
      let x = formulaTensor("pre/x\(key)", [2, 3, size, size], scale: 0.5)
      x.requiresGradient = true
      let draws = entry.ints("draws").map {
        ReplayedRandom.Draw(.integer, Tensor([Int64($0)], shape: []))
      }
      let replay = ReplayedRandom(draws)
      let y = clipView(x, side: 224, crop: .random, random: replay)
      #expect(replay.isExhausted)
      golden.expectClose(
        y.detached().selected(0, 0),
        "\(key).y.n0",
        rtol: 1e-5,
        atol: 1e-5
      )
      let dx = gradient(
        of: y * formulaTensor("pre/R\(key)", [2, 3, 224, 224]),
        withRespectTo: x
      )
      golden.expectClose(dx, "\(key).dx", rtol: 1e-5, atol: 1e-4)
    }
  }

  @Test(arguments: phases) func `a phase gives the recorded gradients and reports`(
    file: String
  ) throws {
    let golden = try Golden(file)
    let manifest = try Manifest(of: "\(file).safetensors")
    let context = try context(manifest.config)
    let phase = try #require(Phase(rawValue: manifest.config.text("phase")))
    let meanPathLength = golden["pl_mean_before"]
    context.generator.mapping.wAverage.assign(golden["w_avg_before"])
    let replay = try ReplayedRandom(golden)
    let result = phaseGradients(
      phase,
      context,
      batch: TrainingBatch(
        images: golden["real_img"],
        imageFeatures: golden["img_fts"],
        textFeatures: golden["txt_fts"]
      ),
      z: golden["gen_z"],
      meanPathLength: meanPathLength,
      gain: manifest.config.double("gain") ?? 1,
      random: replay
    )
    #expect(replay.isExhausted, "\(replay.position) draws of the recorded ones were made")
    golden.expectClose(meanPathLength, "pl_mean_after", rtol: 1e-4, atol: 1e-6)
    golden.expectClose(
      context.generator.mapping.wAverage,
      "w_avg_after",
      rtol: 1e-5,
      atol: 1e-6
    )
    try expectReports(result.reports, golden, manifest)
    let network: any Module = phase.isGenerator ? context.generator : context.discriminator
    for (entry, value) in zip(network.namedParameters, result.gradients) {
      let name = "grad.\(entry.name)"
      // What plays no part has no gradient here; the recording has zeros for some of it.
      let isRecorded = golden.names.contains { $0.hasPrefix(name) }
      guard isRecorded || value != nil else { continue }
      let value = value ?? .zeros(like: entry.tensor)
      let size = value.largestMagnitude(keeping: false).item
      golden.expectClose(value, name, rtol: 1e-3, atol: 1e-4 * max(size, 1e-4))
    }
  }

  private func expectReports(
    _ reports: [(name: String, values: Tensor)],
    _ golden: Golden,
    _ manifest: Manifest
  ) throws {
    let heading = manifest.entry.object("names").first { $0.key.hasPrefix("reports") }
    let recorded = try #require(heading?.value as? [[Any]])
    #expect(!recorded.isEmpty)
    for row in recorded {
      let (key, name) = (row[0] as? String ?? "", row[1] as? String ?? "")
      let own = try #require(reports.first { $0.name == name }, "no report \(name)")
      golden.expectClose(own.values, key, rtol: 1e-4, atol: 2e-5)
    }
    #expect(Set(reports.map(\.name)).count == recorded.count)
  }

  private func context(_ config: [String: Any]) throws -> LossContext {
    let net = "net\(config.text("net"))"
    let generatorConfig = try shape(net, "G")
    let discriminatorConfig = try shape(net, "D")
    let random = SeededRandom(seed: 0)
    let generator = Generator(
      GoldenNetwork.generatorConfiguration(generatorConfig),
      random: random
    )
    let discriminator = Discriminator(
      GoldenNetwork.discriminatorConfiguration(discriminatorConfig),
      random: random
    )
    try generator.load(Golden.state(net, "G"))
    try discriminator.load(Golden.state(net, "D"))
    let encode = try tinyCLIP(dimension: generator.configuration.featureDimension)
    return LossContext(
      generator: generator,
      discriminator: discriminator,
      configuration: losses(config),
      clipSide: 224,
      encodeImage: encode,
      augment: try augmentation(config)
    )
  }

  /// The keyword arguments of a network: those of its state, or of its recorded outputs.
  private func shape(_ net: String, _ part: String) throws -> [String: Any] {
    let state = try Manifest(of: "\(net)_\(part)_state.safetensors").config
    return state.isEmpty ? try Manifest(of: "\(net)_\(part)_golden.safetensors").config : state
  }

  private func augmentation(
    _ config: [String: Any]
  ) throws -> ((Tensor, any RandomSource) -> Tensor)? {
    guard let probability = config.double("augment_p") else { return nil }
    let name = config["augment_pipe"] as? String ?? "bgc"
    let shape = try #require(AugmentConfiguration(named: name))
    let pipe = AugmentPipe(shape, probability: probability)
    return { pipe($0, random: $1) }
  }

  private func losses(_ config: [String: Any]) -> LossConfiguration {
    let (hyper, kwargs) = (config.object("hyper"), config.object("loss_kwargs"))
    var result = LossConfiguration()
    result.lam = hyper.double("lam") ?? result.lam
    result.temp = hyper.double("temp") ?? result.temp
    result.itd = hyper.double("itd") ?? result.itd
    result.itc = hyper.double("itc") ?? result.itc
    result.iid = hyper.double("iid") ?? result.iid
    result.iic = hyper.double("iic") ?? result.iic
    result.mixingProb = hyper.double("mixing_prob") ?? result.mixingProb
    result.gamma = kwargs.double("r1_gamma") ?? result.gamma
    result.styleMixingProb = kwargs.double("style_mixing_prob") ?? result.styleMixingProb
    return result
  }
}

/// The image tower of the golden folder's tiny CLIP, its embedding cut to the first `dimension`
/// components.
private func tinyCLIP(dimension: Int) throws -> (Tensor) -> Tensor {
  var state = try Golden("clip_tiny_state").tensors
  guard let projection = state["visual.proj"], let text = state["text_projection"] else {
    preconditionFailure("clip_tiny_state.safetensors has no projections")
  }
  state["visual.proj"] = projection.sliced(1, 0..<dimension).contiguous()
  state["text_projection"] = text.sliced(1, 0..<dimension).contiguous()
  let configuration = try CLIPConfiguration(shapes: state.mapValues(\.shape))
  let clip = try CLIP(configuration, state: state)
  clip.setTrainable(false)
  return { clip.encodeImage($0) }
}
