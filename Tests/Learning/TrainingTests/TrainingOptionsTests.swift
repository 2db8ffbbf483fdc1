import Foundation
import JSON
import Networks
import Snapshots
import TestSupport
import Testing
import TorchNN
import TorchTestSupport

@testable import Training

@Suite("Training options")
struct TrainingOptionsTests {
  private func automatic(_ resolution: Int = 64) -> TrainingOptions {
    .automatic(resolution: resolution, featureDimension: 512, reducedPrecision: true)
  }

  /// Options that differ from the defaults wherever they can.
  private func unusual() throws -> TrainingOptions {
    var options = automatic()
    options.data = ["a.zip", "b \"quoted\"\n.zip"]
    options.testData = "c.zip"
    options.imageCount = 40
    options.subset = 20
    options.mirror = true
    options.ratio = 0.5
    options.workers = 3
    options.clip = "clip.safetensors"
    options.textMapper = "mapper.safetensors"
    options.resume = "x.pkl"
    options.outdir = "runs"
    options.kimg = 0.25
    options.maximumSeconds = 60
    options.tickKimg = 1
    options.imageSnapshotTicks = 7
    options.networkSnapshotTicks = 9
    options.metrics = ["fd_lite0"]
    options.metricImages = 50
    options.checkpointSeconds = 90
    options.collapsePolicy = .rollback
    options.measuresAgainstTest = true
    options.prompts = "p.txt"
    options.promptLines = ["a cat", "\"two\" dogs"]
    options.gathers = true
    options.benchmarks = false
    options.allowsTF32 = true
    options.usesWinograd = false
    options.threads = 2
    options.named = [.gamma, .resume]
    options.trainer.seed = 9
    options.trainer.batchSize = 8
    options.trainer.emaKimg = 2.5
    options.trainer.emaRampUp = nil
    options.trainer.frozenLayers = 4
    options.trainer.generatorRegularisationInterval = nil
    options.trainer.generatorOptimizer.learningRate = 0.001
    options.trainer.discriminatorOptimizer.beta2 = 0.5
    options.trainer.losses.lam = 0.25
    options.trainer.losses.iid = 1
    options.trainer.losses.contrastive = .infonce
    options.trainer.losses.clipCrop = .none
    options.trainer.losses.textNoise = 0.2
    options.trainer.losses.styleMixingProb = 0
    options.trainer.losses.pathLengthShrink = 1
    options.trainer.generator.structureChange = 8
    options.trainer.generator.featureScale = 8
    options.trainer.generator.styleWidth = 64
    options.trainer.generator.channelMax = 32
    options.trainer.generator.channelsLast = true
    options.trainer.discriminator.channelsLast = false
    options.trainer.generator.zDimension = 128
    options.trainer.discriminator.usesFeatures = false
    options.trainer.discriminator.normalizesFeatures = true
    options.trainer.discriminator.clamp = nil
    var augmentation = AugmentationOptions(
      try #require(AugmentConfiguration(named: "bgcf")),
      target: 0.7
    )
    augmentation.adaptationKimg = 100
    options.trainer.augmentation = augmentation
    return options
  }

  private func reread(_ text: String) throws -> TrainingOptions {
    try withTemporaryFolder { folder in
      let path = folder + "/options.json"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return try TrainingOptions(contentsOf: path)
    }
  }

  @Test func `every option survives a file of options`() throws {
    let options = try unusual()
    let back = try reread(options.json(runFolder: "runs/00003-a").json)
    #expect(back == options)
    let plain = automatic(16)
    var expected = plain
    expected.outdir = "o"
    #expect(try reread(plain.json(runFolder: "o/00000-x").json) == expected)
  }

  @Test func `the original's file is read, too`() throws {
    let text = try String(contentsOfFile: Golden.path("train_dry_run.txt"), encoding: .utf8)
    let start = try #require(text.range(of: "{\n")?.lowerBound)
    let end = try #require(text.range(of: "\n}\n")?.upperBound)
    let options = try reread(String(text[start..<end]))
    #expect(options.data == ["datasets/shapes64.zip"])
    #expect(options.testData == "datasets/shapes64.zip")
    #expect(options.subset == 20 && options.mirror && options.kimg == 1)
    #expect(options.trainer.losses.itd == 5 && options.trainer.losses.gamma == 10)
    #expect(options.trainer.batchSize == 8 && options.outdir == "training-runs")
    #expect(options.trainer.generator.clamp == nil)
    #expect(
      options.description
        == "shapes64-subset20-mirror-auto-lam0-temp0.5-map_num8-gpus1-gamma10-kimg1-batch8"
    )
  }

  @Test(arguments: [
    ("\"temp\": 0.5", "\"temp\": \"hot\"", "temp cannot be \"hot\""),
    ("\"resolution\": 64", "\"resolution\": 63", "resolution cannot be 63"),
    ("{\"f_dim\"", "[{\"f_dim\"", "is no training_options.json"),
  ])
  func `a damaged file is refused by the name of its key`(
    old: String,
    new: String,
    expected: String
  ) throws {
    let text = automatic().json(runFolder: "o/00000-x").json
    let damaged = text.replacingOccurrences(of: old, with: new)
    #expect(damaged != text)
    let error = #expect(throws: TrainingError.self) { try reread(damaged) }
    #expect(String(describing: error).contains(expected))
  }

  @Test func `the automatic configuration follows resolution, not the batch`() {
    let (small, large) = (automatic(64), automatic(1024))
    // 0.0002 · 64² / 16
    expectClose(small.trainer.losses.gamma, 0.0512, rtol: 1e-12)
    #expect(small.trainer.generatorOptimizer.learningRate == 0.0025)
    #expect(large.trainer.discriminatorOptimizer.learningRate == 0.002)
    #expect(small.trainer.emaKimg == 5 && small.trainer.discriminator.minibatchGroup == 4)
    #expect(large.trainer.generator.clamp == 256)
  }

  @Test func `the folder's name has the original's parts in its order`() throws {
    var options = try unusual()
    options.data = ["datasets/shapes64.zip"]
    options.named = NamedPart.allCases.reversed().filter { $0 != .p }
    options.trainer.losses.gamma = 2e-5
    #expect(
      options.description
        == "shapes64-subset20-mirror-auto-lam0.25-temp0.5-map_num8-gpus1-gamma2e-05-kimg0.25-batch8"
        + "-ada-target0.7-bgcf-resumecustom-freezed4"
    )
    options.trainer.augmentation = AugmentationOptions(
      try #require(AugmentConfiguration(named: "blit")),
      probability: 0.2
    )
    options.usesLabels = true
    options.named = [.aug, .p]
    options.resume = nil
    #expect(options.description.hasSuffix("-gpus1-fixed-p0.2"))
    #expect(options.description.hasPrefix("shapes64-cond-subset20"))
    options.named = [.resume, .aug]
    options.trainer.augmentation = nil
    #expect(options.description.hasSuffix("-gpus1-noaug-noresume"))
  }

  @Test func `values out of range are named with what is allowed`() throws {
    typealias Change = (inout TrainingOptions) -> Void
    let changes: [(String, Change)] = [
      ("--gpus must be between 1 and 4096", { $0.gpus = 0 }),
      ("--lam must be between -1e12 and 1e12", { $0.trainer.losses.lam = .nan }),
      ("--ratio must be between 0 and 1", { $0.ratio = 1.5 }),
      ("--kimg must be above 0", { $0.kimg = 0 }),
      ("--workers must be between 1 and 1024", { $0.workers = 0 }),
      (
        "--matching-aware needs at least 2 images",
        {
          ($0.trainer.batchSize, $0.trainer.losses.mismatchWeight) = (1, 1)
          $0.trainer.discriminator.minibatchGroup = 1
        }
      ),
      ("--batch must be at most 4 or a multiple of it", { $0.trainer.batchSize = 6 }),
      ("--map_num must be between 1 and 64", { $0.trainer.generator.mappingLayers = 0 }),
      ("--freezed must be 0 or more", { $0.trainer.frozenLayers = -1 }),
      (
        "--fmap leaves no channel at 64²",
        {
          $0.trainer.generator.channelBase = 32
          $0.trainer.discriminator.channelBase = 32
        }
      ),
    ]
    for (expected, change) in changes {
      var options = automatic()
      change(&options)
      let error = #expect(throws: TrainingError.self) {
        try options.validate()
        try options.validateForResolution()
      }
      #expect(String(describing: error).contains(expected), "\(String(describing: error))")
    }
    try automatic().validate()
  }

  @Test func `filters need images larger than their reach`() throws {
    var options = automatic(16)
    options.trainer.augmentation = AugmentationOptions(
      try #require(AugmentConfiguration(named: "bgcf"))
    )
    #expect(throws: TrainingError.self) { try options.validateForResolution() }
    options.trainer.augmentation?.transforms.imageFilter = 0
    try options.validateForResolution()
  }
}
