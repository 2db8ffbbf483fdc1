import ArgumentParser
import JSON
import Testing

@testable import ModelCommands
@testable import Training

/// The flags of `nifty train`, parsed without a process.
@Suite("Flags of the train command")
struct TrainFlagsTests {
  /// Flags that say how the command works and are no values of a run.
  private static let handled: Set = ["options", "continue", "dry-run", "profile", "alert", "cfg"]

  /// A word that each flag takes, other than its default.
  private static let words: [String: String] = [
    "data": "b.zip", "outdir": "o", "clip": "c", "test_data": "t.zip", "resume": "x.pkl",
    "prompts": "p.txt", "text-mapper": "m", "text-corpus": "t.txt",
    "snapshot-format": "safetensors",
    "on-collapse": "rollback", "metrics": "is50k", "feature-logit": "per-sample",
    "contrastive": "infonce", "clip-crop": "none", "aug": "ada", "augpipe": "bg", "cond": "1",
    "mirror": "1", "mirror-features": "0", "metric_only_test": "1", "d_use_norm": "1",
    "d_use_fts": "1", "gather": "0", "fp32": "1", "winograd": "0", "nhwc": "1", "nobench": "1",
    "allow-tf32": "1",
    "p": "0.25", "target": "0.5", "ratio": "0.5", "mixing_prob": "0.5", "text-noise": "0.25",
    "image-noise": "0.5", "recipe": "nifty", "reuse-fakes": "1",
    "diffaug": "color", "adversarial": "relativistic", "ema-deviation": "0.05",
    "keep": "last:3", "resume-state": "1", "metrics-at-start": "1",
  ]

  private static let flags = TrainingOption.all.filter { $0.hasFlag && !handled.contains($0.name) }
    .map(\.name)

  /// Parsed alone, so that no rule about several flags stands in the way.
  private func given(
    _ group: any ParsableArguments.Type,
    _ flag: String
  ) throws
    -> [TrainingArguments.Given]?
  {
    guard let parsed = try? group.parse(["--\(flag)=\(Self.words[flag] ?? "8")"]) else {
      return nil
    }
    switch parsed {
    case let flags as DataFlags: return flags.given
    case let flags as RunFlags: return flags.given
    case let flags as TrainMetricFlags: return flags.given
    case let flags as NetworkFlags: return flags.given
    case let flags as LossFlags: return flags.given
    case let flags as AugmentFlags: return flags.given
    case let flags as NumericsFlags: return flags.given
    case let flags as RecipeFlags: return flags.given
    default: return nil
    }
  }

  @Test(arguments: flags.filter { $0 != "clip" })
  func `every flag reaches the run's options`(flag: String) throws {
    let groups: [any ParsableArguments.Type] = [
      DataFlags.self, RunFlags.self, TrainMetricFlags.self, NetworkFlags.self, LossFlags.self,
      AugmentFlags.self, NumericsFlags.self, RecipeFlags.self,
    ]
    let takers = try groups.compactMap { try given($0, flag) }
    try #require(takers.count == 1, "\(takers.count) groups take --\(flag)")
    let values = takers[0].filter { $0.option.name == flag }.compactMap(\.value)
    #expect(values.count == 1, "--\(flag) is parsed and goes nowhere")
    #expect(takers[0].filter { $0.value != nil }.count == 1)
  }
}
