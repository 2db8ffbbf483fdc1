import Foundation
import Networks
import Testing
import Torch
import TorchNN
import TorchTestSupport
import Training

/// Whole iterations of the original's training loop, run by our trainer on the recorded draws.
@Suite("Golden trajectories")
struct GoldenTrajectoryTests {
  static let files = Manifest.files(prefix: "trajectory_")

  @Test(arguments: files) func `every iteration gives the recorded reports and weights`(
    file: String
  ) throws {
    try withDirectConvolutions {
      let golden = try Golden(file)
      let log = try PhaseRecord.all(of: "\(file)_log.json")
      let net = "net\(file.dropFirst("trajectory_".count))"
      let sources = try Sources(golden, log)
      let trainer = try trainer(net, golden, sources)

      let iterations = try #require(log.map(\.iteration).max()) + 1
      var compared = 0
      for iteration in 0..<iterations {
        let reports = trainer.step(
          TrainingBatch(
            images: golden["\(iteration).real_u8"].to(.float32) / 127.5 - 1,
            imageFeatures: golden["\(iteration).img_fts"],
            textFeatures: golden["\(iteration).txt_fts"]
          )
        )
        #expect(sources.areExhausted(at: iteration), "draws of iteration \(iteration) are left")
        let recorded = log.filter { $0.iteration == iteration }.flatMap(\.reports)
        // The order within a phase is ours.
        #expect(reports.map(\.name).sorted() == recorded.map(\.name).sorted())
        for (index, expected) in recorded.enumerated() {
          let before = recorded[..<index].count { $0.name == expected.name }
          let own = reports.filter { $0.name == expected.name }[before]
          expectClose(
            own.values.reshaped(-1),
            Tensor(expected.values),
            rtol: 2e-5,
            atol: 2e-5,
            "\(file) \(iteration) \(own.name)"
          )
        }
        let after = "after\(iteration)"
        guard golden.contains("\(after).pl_mean") else { continue }
        golden.expectClose(trainer.meanPathLength, "\(after).pl_mean", rtol: 2e-5, atol: 1e-7)
        compared += try expectWeights(trainer, golden, after)
      }
      #expect(compared > 0, "no weights were recorded")
    }
  }

  private func trainer(_ net: String, _ golden: Golden, _ sources: Sources) throws -> Trainer {
    let config = try Manifest(of: "\(golden.name).safetensors").config
    let generator = try goldenGenerator(net)
    var configuration = TrainerConfiguration(resolution: generator.resolution)
    configuration.generator = generator
    configuration.discriminator = try goldenDiscriminator(net)
    configuration.losses = goldenLosses(config)
    // The recording's description gives R1's weight in words only.
    if config.object("loss_kwargs").isEmpty { configuration.losses.gamma = 1.7 }
    configuration.batchSize = golden["0.img_fts"].size(0)
    configuration.generatorOptimizer.learningRate = try #require(config.double("lr"))
    configuration.discriminatorOptimizer.learningRate = try #require(config.double("lr"))
    configuration.generatorRegularisationInterval = config.int("G_reg_interval")
    configuration.discriminatorRegularisationInterval = config.int("D_reg_interval")
    configuration.emaKimg = try #require(config.double("ema_kimg"))
    configuration.emaRampUp = config.double("ema_rampup")
    let clip = ImageTower(
      side: 224,
      encode: try tinyCLIP(dimension: generator.featureDimension)
    )
    let trainer = Trainer(
      try tinyInputs(configuration, clip: clip),
      randomness: { sources.source($0, imagesSeen: $1) }
    )
    try trainer.generator.load(Golden.state(net, "G"))
    try trainer.discriminator.load(Golden.state(net, "D"))
    trainer.average.copyState(from: trainer.generator)
    return trainer
  }

  /// Compares every tensor of the three networks that the recording names.
  private func expectWeights(_ trainer: Trainer, _ golden: Golden, _ after: String) throws -> Int {
    let networks: [(name: String, module: any Module)] = [
      ("G", trainer.generator), ("D", trainer.discriminator), ("Gema", trainer.average),
    ]
    let recorded = Set(
      golden.names.filter { $0.hasPrefix("\(after).") }.map { $0.prefix { $0 != "#" } }
    )
    var compared = 0
    for (name, module) in networks {
      for entry in module.state where recorded.contains("\(after).\(name).\(entry.name)"[...]) {
        golden.expectClose(
          entry.tensor.detached(),
          "\(after).\(name).\(entry.name)",
          rtol: 1e-5,
          atol: 2e-5
        )
        compared += 1
      }
    }
    // The path length is the one recorded number that is no weight.
    #expect(compared == recorded.count - 1)
    return compared
  }
}

/// What the log keeps of one phase of one iteration.
private struct PhaseRecord {
  let iteration: Int
  let phase: Phase
  let draws: [(key: String, function: String)]
  let reports: [(name: String, values: [Float])]

  static func all(of file: String) throws -> [PhaseRecord] {
    let data = try Data(contentsOf: URL(filePath: Golden.path(file)))
    let rows = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    return try rows.map { row in
      let draws = try #require(row["draws"] as? [[Any]])
      let reports = try #require(row["reports"] as? [[Any]])
      return PhaseRecord(
        iteration: try #require(row.int("iter")),
        phase: try #require(Phase(rawValue: row.text("phase"))),
        draws: try draws.map {
          (try #require($0[0] as? String), try #require($0[1] as? String))
        },
        reports: try reports.map {
          let values = try #require($0[1] as? [NSNumber])
          return (try #require($0[0] as? String), values.map(\.floatValue))
        }
      )
    }
  }
}

/// The recorded draws of all iterations and phases, each preceded by the phase's latents.
private final class Sources {
  private var sources: [String: ReplayedRandom] = [:]
  private let batchSize: Int

  init(_ golden: Golden, _ log: [PhaseRecord]) throws {
    batchSize = golden["0.img_fts"].size(0)
    let order: [Phase] = [
      .generatorMain, .generatorRegularisation, .discriminatorMain, .discriminatorRegularisation,
    ]
    for record in log {
      // One tensor holds the latents of all phases, whether they run or not.
      let start = try #require(order.firstIndex(of: record.phase)) * batchSize
      let z = golden["\(record.iteration).gen_z"].sliced(0, start..<start + batchSize)
      let draws = record.draws.map { ReplayedRandom.Draw(function: $0.function, golden[$0.key]) }
      sources["\(record.iteration) \(record.phase)"] = ReplayedRandom([.init(.normal, z)] + draws)
    }
  }

  func source(_ phase: Phase, imagesSeen: Int) -> any RandomSource {
    guard let source = sources["\(imagesSeen / batchSize) \(phase)"] else {
      preconditionFailure("\(phase) was not recorded at \(imagesSeen) images")
    }
    return source
  }

  func areExhausted(at iteration: Int) -> Bool {
    sources.filter { $0.key.hasPrefix("\(iteration) ") }.allSatisfy { $0.value.isExhausted }
  }
}
