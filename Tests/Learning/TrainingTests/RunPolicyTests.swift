import Datasets
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// How a run comes from what was typed, an earlier run, the data and the machine.
@Suite("Run policy")
struct RunPolicyTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  private func policy(
    _ given: [TrainingArguments.Given],
    processes: Int? = nil,
    clip: String? = "standard.pt",
    metrics: [String] = []
  ) -> RunPolicy {
    let paths: [TrainingArguments.Given] = [
      .init(.data, tiny.options.data), .init(.outdir, "runs"), .init(.featureDimension, 8),
    ]
    return RunPolicy(
      TrainingArguments(paths + given),
      processes: processes,
      device: .cpu,
      standardCLIP: clip,
      standardMetrics: metrics
    )
  }

  @Test func `a new run has the automatic options for its data`() throws {
    let (options, set) = try policy([], metrics: ["fid50k_full"]).resolve(nil, in: nil)
    #expect(options.imageCount == TinyRun.imageCount && set.count == TinyRun.imageCount)
    #expect(options.trainer.generator.resolution == 16)
    #expect(options.trainer.generator.featureDimension == 8)
    // Reduced precision does not pay on a CPU below 64².
    #expect(options.isFullPrecision)
    #expect(options.clip == "standard.pt" && options.metrics == ["fid50k_full"])
    #expect(options.trainer.losses.gamma == 0.0002 * 256 / 16)
  }

  @Test(arguments: [(side: 16, width: 6), (side: 8, width: 8)])
  func `test data of another size or CLIP than the training data's is refused`(
    side: Int,
    width: Int
  ) throws {
    let path = tiny.folder.file("test.zip")
    try TinyRun.pack(path, side: side, width: width)
    let error = #expect(throws: TrainingError.self) {
      try policy([.init(.testData, path)]).resolve(nil, in: nil)
    }
    let reason = try #require(error?.description)
    #expect(reason.hasPrefix("--test_data: \(path) has "), "\(reason)")
  }

  @Test(arguments: [(0.0, true), (-1, true), (0.5, false)])
  func `a temperature of 0 or less is told, as it takes the temperature away`(
    temp: Double,
    isTold: Bool
  ) throws {
    let policy = try policy([.init(.temp, temp)])
    let (options, set) = try policy.resolve(nil, in: nil)
    #expect(policy.notices(options, set).contains { $0.hasPrefix("--temp ") } == isTold)
  }

  @Test func `metrics in the features that a run trains against are told`() throws {
    let policy = try policy([])
    var (options, set) = try policy.resolve(nil, in: nil)
    func told() -> Bool {
      policy.notices(options, set).contains { $0.hasPrefix("--vision-aided trains against") }
    }
    options.metrics = ["is50k", "fd_lite0"]
    #expect(!told())
    options.trainer.losses.visionAidedWeight = 0.25
    #expect(told())
    options.metrics = ["is50k"]
    #expect(!told())
  }

  @Test func `--cond=1 takes the classes of the data, and test data must have them`() throws {
    let data = tiny.options.data[0]
    try TinyRun.pack(data) { .index($0 % 4) }
    let (options, _) = try policy([.init(.cond, true)]).resolve(nil, in: nil)
    #expect(options.trainer.generator.labelDimension == 4)
    #expect(options.trainer.discriminator.labelDimension == 4)
    let (plain, _) = try policy([.init(.cond, false)]).resolve(options, in: nil)
    #expect(plain.trainer.generator.labelDimension == nil)
    #expect(plain.trainer.discriminator.labelDimension == nil)
    let test = tiny.folder.file("test.zip")
    try TinyRun.pack(test) { .index($0 % 5) }
    let given: [TrainingArguments.Given] = [.init(.cond, true), .init(.testData, test)]
    _ = try policy(given).resolve(nil, in: nil)
    let error = #expect(throws: TrainingError.self) {
      try policy(given, metrics: ["fid50k_full"]).resolve(nil, in: nil)
    }
    let reason = try #require(error?.description)
    #expect(reason.hasSuffix("test.zip has classes up to 4, the network takes 0 to 3"), "\(reason)")
  }

  @Test func `flags override defaults`() throws {
    let given: [TrainingArguments.Given] = [
      .init(.clip, "own.pt"), .init(.metrics, [String]()), .init(.subset, 5),
      .init(.mirror, true), .init(.fullPrecision, false), .init(.batch, 32),
    ]
    let (options, set) = try policy(given, metrics: ["is50k"]).resolve(nil, in: nil)
    #expect(options.clip == "own.pt" && options.metrics.isEmpty && !options.isFullPrecision)
    #expect(options.subset == 5 && set.count == 10)
    #expect(options.named == [.batch])
  }

  @Test func `processes decide the batch, the rounds and γ`() throws {
    let (options, _) = try policy([.init(.batchPerDevice, 8)], processes: 2).resolve(nil, in: nil)
    #expect(options.gpus == 2 && options.trainer.batchSize == 32 && options.trainer.rounds == 2)
    #expect(options.trainer.losses.gamma == 0.0002 * 256 / 32)
    let (later, _) = try policy([], processes: 1).resolve(options, in: nil)
    #expect(later.gpus == 1 && later.trainer.batchSize == 32)
  }

  @Test func `an earlier run's options stay where nothing else is typed`() throws {
    let (earlier, _) = try policy([.init(.itc, 3.0), .init(.aug, AugmentMode.ada)])
      .resolve(nil, in: nil)
    let (options, _) = try policy([.init(.kimg, 7.0)], clip: "other", metrics: ["is50k"])
      .resolve(earlier, in: "runs/00000-x")
    #expect(options.trainer.losses.itc == 3 && options.kimg == 7)
    #expect(options.clip == "standard.pt" && options.metrics.isEmpty)
    #expect(options.trainer.augmentation?.target == 0.6)
    let error = #expect(throws: TrainingError.self) {
      try policy([.init(.itc, 4.0)]).resolve(earlier, in: "runs/00000-x")
    }
    #expect(String(describing: error).contains("itc is 3.0 there, not 4.0"))
  }

  @Test(arguments: [
    ([TrainingArguments.Given(.subset, 14)], "--subset must be between 1 and 13"),
    ([.init(.cond, true)], "has no class labels"),
    ([.init(.testData, "none.zip")], "--test_data: cannot open none.zip"),
    ([.init(.freezed, 8)], "--freezed must be between 0 and 7, the layers"),
    ([.init(.freezed, 100)], "the discriminator at 16², not 100"),
    ([.init(.outdir, "")], "--outdir is missing"),
    (
      [.init(.augpipe, "bgcf"), .init(.aug, AugmentMode.ada)], "--augpipe with filter needs images"
    ),
    ([.init(.channelBase, 8)], "--fmap leaves no channel at 16²"),
    ([.init(.batch, 8), .init(.batchPerDevice, 2)], "--batch-gpu must be a multiple of 4"),
    ([.init(.batch, 16), .init(.batchPerDevice, 2)], "--batch-gpu must be a multiple of 4"),
    ([.init(.batch, 16), .init(.batchPerDevice, 5)], "--batch-gpu must divide 16"),
  ])
  func `what does not fit the data is said with what is allowed`(
    given: [TrainingArguments.Given],
    expected: String
  ) throws {
    let error = #expect(throws: TrainingError.self) { try policy(given).resolve(nil, in: nil) }
    #expect(String(describing: error).contains(expected), "\(String(describing: error))")
  }

  @Test func `all layers of the discriminator down to 8² can stay as they are, and no more`() throws
  {
    let (options, _) = try policy([.init(.freezed, 7)]).resolve(nil, in: nil)
    var shape = options.trainer.discriminator
    (shape.channelBase, shape.channelMax) = (64, 8)
    func frozen(_ layers: Int) -> Int {
      let random = SeededRandom(seed: 0)
      return Discriminator(shape, frozenLayers: layers, random: random).parameters.count
    }
    #expect(frozen(7) < frozen(6) && frozen(8) == frozen(7))
  }

  @Test func `flags are validated before any file is read`() throws {
    try RunPolicy.rehearse(TrainingArguments([.init(.gpus, 2), .init(.data, ["none.zip"])]))
    let error = #expect(throws: TrainingError.self) {
      try RunPolicy.rehearse(TrainingArguments([.init(.gpus, Int.max)]))
    }
    #expect(String(describing: error).contains("--gpus must be between 1 and 4096, not"))
  }

  @Test func `a run gives notice of missing metrics and missing captions`() throws {
    let (options, set) = try policy([]).resolve(nil, in: nil)
    #expect(
      policy([]).notices(options, set).contains { $0.hasPrefix("no metric will be computed") }
    )
    var chosen = options
    chosen.metrics = ["is50k"]
    #expect(!policy([]).notices(chosen, set).contains { $0.contains("metric") })
    #expect(
      !policy([.init(.metrics, [String]())]).notices(options, set).contains {
        $0.contains("metric")
      }
    )
    chosen.trainer.losses.mixingProb = 0
    let captions = policy([]).notices(chosen, set).filter { $0.contains("no caption") }
    #expect(captions.count == (set.uncaptionedCount > 0 ? 1 : 0))
    chosen.trainer.losses.mixingProb = 1
    #expect(policy([]).notices(chosen, set).isEmpty)
  }

  @Test func `what makes pseudo text is reported where no image asks for it`() throws {
    let (options, set) = try policy([]).resolve(nil, in: nil)
    func notices(_ mixing: Double, _ ratio: Double) -> Int {
      var chosen = options
      (chosen.textCorpus, chosen.ratio) = ("names.txt", ratio)
      chosen.trainer.losses.mixingProb = mixing
      return policy([]).notices(chosen, set).count { $0.hasPrefix("--text-corpus changes nothing") }
    }
    #expect(notices(1, 1) == 0 && notices(0.5, 1) == 0 && notices(0, 0.5) == 0)
    #expect(notices(0, 1) == (set.uncaptionedCount > 0 ? 0 : 1))
    var both = options
    (both.textCorpus, both.textMapper) = ("names.txt", "mapper.safetensors")
    #expect(throws: TrainingError.self) { try both.validate() }
    let steps = policy([.init(.textCorpusSteps, 3)])
    #expect(steps.idleFlags(options).count == 1)
    both.textMapper = nil
    #expect(steps.idleFlags(both).isEmpty)
  }

  @Test func `flags without effect are reported`() throws {
    let idle = policy([.init(.nhwc, true), .init(.nobench, true), .init(.allowTF32, false)])
    let (options, _) = try idle.resolve(nil, in: nil)
    #expect(
      idle.idleFlags(options) == [
        "--nhwc changes nothing in float32", "--nobench changes nothing on the CPU",
      ]
    )
    let winograd = policy([.init(.winograd, false)]).idleFlags(options)
    #expect(winograd.isEmpty == Runtime.hasWinograd)
    var averaged = options
    averaged.trainer.emaDeviation = 0.05
    #expect(policy([.init(.ema, 5.0)]).idleFlags(averaged).count == 1)
    #expect(policy([.init(.ema, 5.0)]).idleFlags(options).isEmpty)
    let warmup = policy([.init(.visionAidedWarmup, 3.0)])
    #expect(warmup.idleFlags(options).count == 1)
    var aided = options
    aided.trainer.losses.visionAidedWeight = 1
    #expect(warmup.idleFlags(aided).isEmpty)
    let paired = policy([.init(.pairedWarmup, 3.0)])
    #expect(paired.idleFlags(options).count == 1)
    var pairs = options
    pairs.trainer.losses.pairedWeight = 1
    #expect(paired.idleFlags(pairs).isEmpty)
    var large = options
    large.trainer.generator.resolution = 512
    #expect(policy([.init(.fmap, 0.5)]).idleFlags(large).count == 1)
    #expect(policy([.init(.fmap, 1.0)]).idleFlags(large).isEmpty)
    #expect(policy([.init(.fmap, 0.5), .init(.channelBase, 9)]).idleFlags(large).isEmpty)
  }
}
