import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport
import Training

@testable import CLIP

@Suite("Golden losses")
struct GoldenLossTests {
  static let phases = Manifest.files(prefix: "loss_")

  @Test func `every recorded phase is run`() throws {
    let folder = URL(filePath: Golden.path("manifest.json")).deletingLastPathComponent().path
    let onDisk = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix("loss_") && $0.hasSuffix(".safetensors") }
    #expect(onDisk.count >= 9)
    #expect(Self.phases.count == onDisk.count)
    print("golden losses: \(Self.phases.count) phases")
  }

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
    try withDirectConvolutions {
      let golden = try Golden(file)
      let manifest = try Manifest(of: "\(file).safetensors")
      let context = try context(manifest.config)
      let phase = manifest.config.text("phase")
      let meanPathLength = golden["pl_mean_before"]
      context.generator.mapping.wAverage.assign(golden["w_avg_before"])
      let replay = try ReplayedRandom(golden)
      let result = try recordedGradients(
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
      let network: any Module = phase.hasPrefix("G") ? context.generator : context.discriminator
      for (entry, value) in zip(network.namedParameters, result.gradients) {
        let name = "grad.\(entry.name)"
        let isRecorded = golden.names.contains { $0.hasPrefix(name) }
        let size = value.largestMagnitude(keeping: false).item
        guard isRecorded else {
          #expect(size == 0, "\(name) is not recorded")
          continue
        }
        golden.expectClose(value, name, rtol: 2e-4, atol: 2e-5 * max(size, 1e-4))
      }
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
    let random = SeededRandom(seed: 0)
    let generator = Generator(try goldenGenerator(net), random: random)
    let discriminator = Discriminator(try goldenDiscriminator(net), random: random)
    try load(Golden.state(net, "G"), into: generator)
    try load(Golden.state(net, "D"), into: discriminator)
    let encode = try tinyCLIP(dimension: generator.configuration.featureDimension)
    var configuration = TrainerConfiguration(resolution: generator.configuration.resolution)
    configuration.losses = goldenLosses(config)
    return LossContext(
      try tinyInputs(configuration, clip: ImageTower(side: 224, encode: encode)),
      generator: generator,
      discriminator: discriminator,
      augment: try augmentation(config)
    )
  }

  /// What a formula leaves out, buffers such as `resample_filter`, keeps its constructed value.
  private func load(_ state: [String: Tensor], into network: some Module) throws {
    try network.load(state, matching: .byName)
    let names = Set(network.state.map(\.name))
    #expect(state.keys.allSatisfy(names.contains))
    let missing = network.namedParameters.map(\.name).filter { state[$0] == nil }
    #expect(missing.isEmpty, "no weights for \(missing)")
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
}
