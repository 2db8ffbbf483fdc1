import Foundation
import JSON
import Testing
import Text

@testable import Training

/// Every option of a run, from the tables that state each of them once.
@Suite("Option tables")
struct OptionTableTests {
  /// A value other than the default for each option that is kept, in the unit of its flag.
  static let samples: [String: OptionValue] = [
    "data": .list([.string("b.zip"), .string("c.zip")]), "test_data": .string("t.zip"),
    "subset": .int(3), "cond": .bool(true), "mirror": .bool(true),
    "mirror-features": .bool(false), "ratio": .double(0.5), "workers": .int(7),
    "gpus": .int(2), "snap": .int(5), "seed": .int(9), "kimg": .double(1.5), "batch": .int(32),
    "minutes": .double(0.5), "tick": .double(2), "g_lr": .double(0.01), "d_lr": .double(0.02),
    "ema": .double(3), "resume": .string("x.pkl"), "prompts": .string("p.txt"),
    "threads": .int(4), "snapshot-format": .string("safetensors"),
    "keep": .string("last:3,best:2,every:100"), "metrics-every": .int(4),
    "metrics-at-start": .bool(true),
    "checkpoint-minutes": .double(2), "on-collapse": .string("rollback"),
    "metrics": .list([.string("is50k")]), "metric-images": .int(11),
    "metric_only_test": .bool(true), "f_dim": .int(64), "change": .int(64), "map_num": .int(4),
    "channel-base": .int(4096), "channel-max": .int(64), "style-width": .int(32),
    "latent": .int(16), "feature-scale": .double(2), "d_use_norm": .bool(true),
    "d_use_fts": .bool(false), "feature-logit": .string("per-sample"), "freezed": .int(3),
    "mbstd-group": .int(2),
    "freeze-generator": .int(8), "pl-interval": .int(8), "r1-interval": .int(4),
    "resume-state": .bool(true),
    "mixing_prob": .double(0.5), "temp": .double(0.25), "lam": .double(0.75), "itd": .double(1),
    "itc": .double(2), "iid": .double(3), "iic": .double(4), "gamma": .double(5),
    "gather": .bool(false), "contrastive": .string("infonce"), "clip-crop": .string("none"),
    "text-noise": .double(0.25), "image-noise": .double(0.5), "text-mapper": .string("m"),
    "pl-weight": .double(0), "fp32": .bool(true), "winograd": .bool(false), "nhwc": .bool(true),
    "nobench": .bool(true),
    "allow-tf32": .bool(true), "clip": .string("c.safetensors"),
    "recipe": .string("nifty"), "text-lr-multiplier": .double(0.5), "reuse-fakes": .bool(true),
    "diffaug": .string("color,cutout"), "adversarial": .string("relativistic"),
    "r2-gamma": .double(1), "matching-aware": .double(0.5), "lecam": .double(0.3),
    "paired": .double(5), "paired-warmup": .double(2),
    "vision-aided": .double(0.25), "vision-aided-warmup": .double(3),
    "clip-views": .int(2), "lr-decay-kimg": .double(100), "ema-deviation": .double(0.05),
    "text-corpus": .string("t.txt"), "text-corpus-steps": .int(3),
  ]

  /// Flags that are not kept by themselves: several make one option, or none does.
  static let others: Set = [
    "outdir", "aug", "p", "target", "augpipe", "fmap", "batch-gpu", "cfg", "rank-timeout",
    "profile", "alert", "options", "continue", "dry-run",
  ]

  static let kept = TrainingOption.all.filter { samples[$0.name] != nil }.map(\.name)
  static let ranged = TrainingOption.all.filter { $0.range != nil }.map(\.name)

  private func option(_ name: String) throws -> TrainingOption {
    try #require(TrainingOption.all.first { $0.name == name })
  }

  private func automatic() -> TrainingOptions {
    .automatic(resolution: 64, featureDimension: 512, reducedPrecision: true)
  }

  private func given(_ option: TrainingOption, _ value: OptionValue) -> TrainingArguments {
    TrainingArguments([.init(option, Raw(value))])
  }

  @Test func `every flag is tried here, and no name stands for two options`() {
    let names = TrainingOption.all.map(\.name)
    #expect(Set(names).count == names.count)
    let flags = Set(TrainingOption.all.filter(\.hasFlag).map(\.name))
    #expect(flags == Set(Self.samples.keys).union(Self.others))
    #expect(Set(Self.samples.keys).isDisjoint(with: Self.others))
  }

  @Test func `the layout of the file has every key of the tables once`() {
    let keys = TrainingOptions.allFields.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(TrainingOptions.layout.sorted() == keys.sorted())
  }

  @Test(arguments: kept)
  func `a flag goes into the file of options and comes back`(name: String) throws {
    let option = try option(name)
    let sample = try #require(Self.samples[name])
    var options = automatic()
    #expect(option.value(in: options) != sample, "the sample is the default")
    try given(option, sample).apply(to: &options)
    #expect(TrainingOption.text(option.value(in: options)) == TrainingOption.text(sample))
    let text = options.json(runFolder: "o/00000-x").json
    let back = try TrainingOptions(text: text, of: "training_options.json")
    options.outdir = "o"
    #expect(back == options)
    #expect(option.value(in: back) == option.value(in: options))
  }

  @Test(arguments: kept)
  func `a continued run may change what its table says`(name: String) throws {
    let option = try option(name)
    let sample = try #require(Self.samples[name])
    let earlier = automatic()
    var options = earlier
    try given(option, sample).apply(to: &options)
    if option.continuing == .mayChange {
      try options.continue(earlier, in: "runs/00000-x")
      #expect(TrainingOption.text(option.value(in: options)) == TrainingOption.text(sample))
    } else {
      let error = #expect(throws: TrainingError.self) {
        try options.continue(earlier, in: "runs/00000-x")
      }
      #expect("\(try #require(error))".contains("--continue keeps the options of runs/00000-x"))
    }
  }

  @Test(arguments: ranged)
  func `what is beyond a range is refused as it was typed`(name: String) throws {
    let option = try option(name)
    let range = try #require(option.range)
    #expect(!range.limits.refused.isEmpty)
    for value in range.limits.refused {
      let typed = Int(exactly: value).map { OptionValue.int($0) } ?? .double(value)
      let error = try #require(
        throws: TrainingError.self,
        performing: {
          var options = automatic()
          try given(option, typed).apply(to: &options)
          // What only a file can say is checked when it is read.
          option.set(&options, typed)
          try options.validate()
        }
      )
      let expected = "\(option.flag) must be \(range.text), not \(TrainingOption.text(typed))"
      #expect("\(error)" == "\(TrainingError.option(expected))")
    }
    for value in range.limits.allowed { try option.check(.double(value)) }
  }

  @Test func `minutes are refused in minutes`() {
    var options = automatic()
    let error = #expect(throws: TrainingError.self) {
      try given(.minutes, .int(-2)).apply(to: &options)
    }
    #expect(String(describing: error).contains("minutes, not -2"))
    #expect(String(describing: error).contains("--minutes must be above 0"))
    // A file keeps seconds; what is said of them is the flag's.
    options.maximumSeconds = -120
    let other = #expect(throws: TrainingError.self) { try options.validate() }
    #expect(String(describing: other).contains("minutes, not -2"))
  }

  @Test func `defaults are shown as they are`() {
    #expect(TrainingOption.kimg.help == "Thousands of images to train for. (default: 25000)")
    #expect(TrainingOption.checkpointMinutes.defaultText == "10")
    #expect(TrainingOption.gather.defaultText == "1" && TrainingOption.mirror.defaultText == "0")
    #expect(TrainingOption.contrastive.defaultText == "lafite, as released")
    #expect(TrainingOption.resume.defaultText == "noresume")
    #expect(TrainingOption.outdir.defaultText == nil)
    #expect(TrainingOption.aug.defaultText == "noaug")
  }

  @Test func `the migration guide lists every flag as the tables have it`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appending(path: "Documentation/guides/migration.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("| option | default |") })
    let table = lines[start...].prefix { $0.hasPrefix("|") }.joined(separator: "\n")
    let expected = guideTable()
    if ProcessInfo.processInfo.environment["NIFTY_WRITE_DOCUMENTS"] != nil {
      try text.replacing(table, with: expected).write(to: file, atomically: true, encoding: .utf8)
      return
    }
    #expect(
      table == expected,
      "write it anew: NIFTY_WRITE_DOCUMENTS=1 swift test --filter OptionTableTests"
    )
  }
}

/// A value that is given as it is.
private struct Raw: JSONConvertible {
  let json: OptionValue
  init(_ json: OptionValue) { self.json = json }
  init?(json: OptionValue) { self.json = json }
}
