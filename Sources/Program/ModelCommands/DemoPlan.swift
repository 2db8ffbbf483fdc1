import Demo
import Foundation

/// The demo's commands.
///
/// The settings serve a data set of a thousand pictures of 32² and a few minutes; they are those with
/// which a prototype learned soonest (Documentation/PERFORMANCE.md). InfoNCE feels the condition
/// sooner than the released form of the loss, a logit per sample spares the discriminator the rest of
/// its batch, text features count eight times as much beside w, and γ = 2 keeps the discriminator from
/// saturating on pseudo text. nifty's recipe lets the text layers learn; learning rates of 0.005 without path
/// length regularisation halve the judges' distances at less processor time, and a distance to the real picture of
/// the caption gives shapes in so few steps. Most steps learn from it alone, which takes less than half of the time, and
/// less noise than LAFITE's tells them the picture (Documentation/LEARNING.md).
/// One thread: two are faster on idle cores and far slower on busy ones.
struct DemoPlan: Sendable {
  let minutes: Double
  let seed: UInt64
  let paths: DemoPaths

  /// What the sample grids show while training goes on.
  static let prompts = [
    "red apple", "赤いリンゴ", "cat face", "ネコの顔", "fire engine", "消防車", "sun", "red heart",
  ]

  func download(_ part: DemoMaterials.Part, metadata: String) -> [String] {
    ["laion", "--metadata", metadata, "--out", folder(part), "--allow-private-addresses"]
  }

  /// Where a part's splits are.
  func folder(_ part: DemoMaterials.Part) -> String {
    switch part {
    case .pretraining: paths.file("laion")
    case .training: paths.file("theme-train")
    case .test: paths.file("theme-test")
    }
  }

  private var trainingFolders: [String] {
    [
      folder(.pretraining) + "/split{0..1}", folder(.training) + "/split0",
    ]
  }

  /// The CLIP that conditions and teaches, and the judge: another seed, another resolution.
  var trainCLIPs: [[String]] {
    let seconds = String(Int(minutes * 60 * 0.27))
    func train(side: Int, seed: UInt64, to path: String, report: String) -> [String] {
      ["clip", "train"] + trainingFolders.flatMap { ["--data", $0] }
        + ["--test", folder(.test) + "/split0", "--side", "\(side)", "--seed", "\(seed)"]
        + ["--kimg", "100000", "--seconds", seconds, "--out", path, "--report", report]
    }
    return [
      train(side: 32, seed: seed + 1, to: paths.clip, report: paths.file("clip.json")),
      train(side: 40, seed: seed + 2, to: paths.judge, report: paths.file("judge.json")),
    ]
  }

  var pack: [[String]] {
    let size = [
      "--width=32", "--height=32", "--transform=center-crop", "--clip", paths.clip,
      "--clip-view=whole",
    ]
    return [
      ["pack", "--source=" + folder(.pretraining) + "/split{0..1}", "--dest=" + paths.out] + size,
      ["pack", "--source=" + folder(.training) + "/split0", "--dest=" + themeTrain] + size,
      ["pack", "--source=" + folder(.test) + "/split0", "--dest=" + themeTest] + size,
    ]
  }

  private var themeTrain: String { paths.file("theme-train.zip") }
  private var themeTest: String { paths.file("theme-test.zip") }

  private var model: [String] {
    [
      "--clip", paths.clip, "--channel-base=512", "--channel-max=128", "--style-width=128",
      "--feature-scale=8", "--feature-logit=per-sample", "--contrastive=infonce", "--itd=2",
      "--itc=4", "--temp=0.2", "--clip-crop=none", "--gamma=2", "--batch=16", "--recipe=nifty",
      "--pl-weight=0", "--paired=20", "--threads=1",
    ]
  }

  var pretrain: [String] {
    ["train", "--outdir", paths.file("pretrain"), "--data", paths.file("split{0..1}.zip")]
      + ["--test_data", themeTest, "--mixing_prob=1.0", "--image-noise=0.5"]
      + ["--prompts", paths.file("prompts.txt")] + model
      + ["--g_lr=0.005", "--d_lr=0.005", "--snap=2", budget(0.33)]
      // Several ticks of the warm-up tell its pace, however few minutes there are.
      + ["--tick=" + number(min(4, minutes / 2)), "--paired-warmup=" + number(1.5 * minutes)]
  }

  /// Fine-tuning, which begins with another warm-up.
  ///
  /// - Parameters:
  ///   - snapshot: Where pre-training ended.
  ///   - pace: That of pre-training's warm-up; without it there is no other one.
  /// - Returns: The command's arguments.
  func finetune(from snapshot: String, pace: DemoPace?) -> [String] {
    let warmup = pace.map { $0.kimg(in: 0.45 * Self.finetuningShare * minutes * 60) }
    return ["train", "--outdir", paths.file("finetune"), "--data", themeTrain]
      + ["--test_data", themeTest]
      + ["--resume", snapshot, "--mixing_prob=0.0", "--subset=200"]
      + ["--prompts", paths.file("prompts.txt")] + model
      + ["--tick=4", "--snap=4"] + (warmup.map { ["--paired-warmup=\($0)"] } ?? [])
      + [budget(Self.finetuningShare)]
      + ["--metrics=fd_lite0", "--metric-images=256"]
  }

  func distance(of snapshot: String, report: String) -> [String] {
    ["metrics", "--network", snapshot, "--metrics=fd_lite0", "--data", themeTrain, "--test_data"]
      + [themeTest, "--images=256", "--threads=1", "--figures", paths.file(report + ".json")]
  }

  /// The judge on captions that were trained on, its kernel distance, its agreement on held-out
  /// captions, reference points.
  func score(_ snapshot: String) -> [[String]] {
    let judge = ["--clip", paths.clip, "--judge", paths.judge, "--threads=1"]
    let network = ["metrics", "--network", snapshot, "--data", themeTrain]
    return [
      network + ["--metrics=judge_top1,mmd_judge", "--images=256"] + judge
        + ["--figures", paths.file("judged.json")],
      network + ["--test_data", themeTest, "--metrics=judge_top1", "--captions=48"] + judge
        + ["--figures", paths.file("held-out.json")],
      network + ["--test_data", themeTest, "--metrics=fd_lite0,references", "--images=256"]
        + ["--threads=1", "--figures", paths.file("fd-final.json")],
    ]
  }

  /// The share of the time in which fine-tuning trains.
  private static let finetuningShare = 0.4

  private func number(_ value: Double) -> String { String(format: "%.4g", value) }

  private func budget(_ share: Double) -> String {
    "--minutes=" + String(format: "%.2f", minutes * share)
  }
}
