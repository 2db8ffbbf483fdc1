import Console
import Datasets
import Evaluation
import Foundation
import Networks
import Snapshots
import Training

/// The distances that the demo measured, in order of training.
struct DemoScores {
  let paths: DemoPaths

  /// Thousand images over both runs, and fd_lite0.
  var distances: [(kimg: Double, value: Double)] {
    get throws {
      let pretrained = try paths.snapshots(in: "pretrain")
      var result: [(kimg: Double, value: Double)] = []
      var offset = 0.0
      for (index, path) in [pretrained.first, pretrained.last].enumerated() {
        guard let path else { continue }
        offset = Double(try NetworkSnapshot(path: path).imagesSeen) / 1000
        let figures = try Figures.read(paths.file("fd-\(index).json"))
        if let value = figures["fd_lite0"] { result.append((offset, value)) }
      }
      guard let folder = try paths.snapshots(in: "finetune").last else { return result }
      let run = URL(filePath: folder).deletingLastPathComponent()
      let scores = try MetricHistory.read(run.appending(path: "metric-fd_lite0.jsonl").path)
      for score in scores.histories.first(where: { $0.name == "fd_lite0" })?.entries ?? [] {
        let snapshot = try NetworkSnapshot(path: run.appending(path: score.snapshot).path)
        result.append((offset + Double(snapshot.imagesSeen) / 1000, score.value))
      }
      return result
    }
  }
}

/// `summary.json`: the demo in numbers.
struct DemoSummary {
  let paths: DemoPaths
  let snapshot: String
  let start: Date

  func write() throws {
    let clip = try Figures.read(paths.file("clip.json"))
    let judged = try Figures.read(paths.file("judged.json"))
    let held = try Figures.read(paths.file("held-out.json"))
    let final = try Figures.read(paths.file("fd-final.json"))
    let initial = try Figures.read(paths.file("fd-0.json"))
    let figures: [(String, Double?)] = [
      ("judge_top1", judged["judge_top1"]),
      ("judge_top1_real", judged["judge_top1_real"]),
      ("judge_top1_held_out", held["judge_top1"]),
      ("judge_top1_held_out_real", held["judge_top1_real"]),
      ("judge_chance", judged["judge_chance"]),
      ("mmd_judge", judged["mmd_judge"]),
      ("mmd_judge_real_halves", judged["mmd_judge_real_halves"]),
      ("clip_score", judged["judge_cosine"]),
      ("clip_score_held_out", held["judge_cosine"]),
      ("clip_r1_en", clip["r1_en"]),
      ("clip_r1_ja", clip["r1_ja"]),
      ("clip_r1_held_out_en", clip["r1_held_out_en"]),
      ("clip_r1_held_out_ja", clip["r1_held_out_ja"]),
      ("fd_lite0_initial", initial["fd_lite0"]),
      ("fd_lite0_final", final["fd_lite0"]),
      ("fd_lite0_real_halves", final["fd_lite0_real_halves"]),
      ("fd_lite0_mean_image", final["fd_lite0_mean_image"]),
      ("fd_lite0_noise", final["fd_lite0_noise"]),
      ("pictures", try Double(packed.reduce(0) { $0 + $1.count })),
      ("resolution", try Double(NetworkSnapshot(path: snapshot).generator.resolution)),
      ("kimg", try kimg()),
      ("seconds", Date().timeIntervalSince(start)),
      ("peak_rss_mb", Double(peakMemoryBytesOfFamily()) / 1e6),
    ]
    let path = paths.file("summary.json")
    try Figures.write(figures.map { ($0.0, $0.1 ?? .nan) }, to: path)
    Console.line("")
    for (name, value) in figures {
      let text = value.map { String(format: "%.3f", $0) } ?? "–"
      Console.line(name.padding(toLength: 26, withPad: " ", startingAt: 0) + text)
    }
    Console.line("\nwrote \(path)")
  }

  /// The zips that the networks were trained on.
  private var packed: [PackedDataset] {
    get throws {
      try ["split0.zip", "split1.zip", "theme-train.zip"].map { try PackedDataset(paths.file($0)) }
    }
  }

  private func kimg() throws -> Double {
    let pretrained = try paths.snapshots(in: "pretrain").last
    return try [pretrained, snapshot].compactMap { $0 }.reduce(0) {
      try $0 + Double(NetworkSnapshot(path: $1).imagesSeen) / 1000
    }
  }

  /// The most memory of this process or of one of its commands.
  private func peakMemoryBytesOfFamily() -> Int {
    var usage = rusage()
    let children: Int32 = -1  // RUSAGE_CHILDREN, which Swift imports as another type
    let own = peakMemoryBytes()
    return getrusage(children, &usage) == 0 ? max(own, usage.ru_maxrss * 1024) : own
  }
}
