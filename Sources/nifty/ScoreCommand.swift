import ArgumentParser
import Datasets
import Evaluation
import Foundation
import Networks
import Snapshots
import Torch
import Training

/// Scores a snapshot after the fact.
struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Score a snapshot: Fréchet distance, and whether a CLIP recognises the captions.",
    discussion: """
      METRICS
        fd_lite0     Fréchet distance on EfficientNet-Lite0 features; not
                     comparable with FID
        judge_top1   share of images whose own caption a judge CLIP ranks first
                     among --captions distinct ones; give a judge that took no
                     part in training
        clip_score   mean cosine of image and caption for that judge
        references   fd_lite0 of real halves, of the mean image and of noise

      EXAMPLES
        nifty metrics --network network-snapshot-000050.safetensors \\
          --metrics fd_lite0 --data train.zip --test_data test.zip
        nifty metrics --network FILE --metrics judge_top1 --data train.zip \\
          --clip clip.safetensors --judge judge.safetensors
      """
  )

  @Option(help: "Snapshot.") var network: String
  @Option(help: "Metrics, separated by commas.") var metrics = "fd_lite0"
  @Option(help: "Zip of real images; repeat for several. Brace patterns are expanded.")
  var data: [String]
  @Option(name: .customLong("test_data"), help: "Zip whose captions are used; --data if not given.")
  var testData: String?
  @Option(help: "CLIP model that the generator was trained with.") var clip: String?
  @Option(help: "CLIP model that judges.") var judge: String?
  @Option(help: "Distinct captions for the judge.") var captions = 64
  @Option(help: "Images a caption for the judge.") var perCaption = 4
  @Option(help: "Images for the Fréchet distance.") var images = 30_000
  @Option(help: "Seed of latents and noise.") var seed: UInt64 = 0
  @Option(help: "Threads.") var threads = 1
  @Option(help: "File for the figures as JSON.") var report: String?

  private static let known = ["fd_lite0", "judge_top1", "clip_score", "references"]

  func validate() throws {
    for name in names where !Self.known.contains(name) {
      throw ValidationError(
        "--metrics must be of \(Self.known.joined(separator: ", ")), not \(name)"
      )
    }
    if names.contains("judge_top1") || names.contains("clip_score"), clip == nil || judge == nil {
      throw ValidationError("judge_top1 and clip_score need --clip and --judge")
    }
    guard captions >= 2, perCaption >= 1, images >= 2, threads >= 1 else {
      throw ValidationError("--captions, --per-caption, --images and --threads are too small")
    }
  }

  private var names: [String] { metrics.split(separator: ",").map(String.init) }

  func run() throws {
    Runtime.threads = threads
    let snapshot = try NetworkSnapshot(path: network)
    let generator = try snapshot.averagedGenerator()
    let real = try TrainingSet(data.flatMap(expandedBraces).map { try PackedDataset($0) })
    let conditions = try testData.map { try TrainingSet([PackedDataset($0)]) } ?? real
    guard real.resolution == generator.configuration.resolution else {
      throw TrainingError.option(
        "\(network) paints \(generator.configuration.resolution)² images, the data has "
          + "\(real.resolution)²"
      )
    }
    var figures: [(String, Double)] = []
    if names.contains("fd_lite0") || names.contains("references") {
      let metric = try FdLite0(
        real: real,
        conditions: conditions,
        images: images,
        device: .cpu
      )
      if names.contains("fd_lite0") {
        let line = try metric.line(generator, snapshot: URL(filePath: network).lastPathComponent)
        Console.line(line)
        figures.append(("fd_lite0", try value(of: "fd_lite0", in: line)))
      }
      if names.contains("references") {
        let points = try metric.references()
        figures += [
          ("fd_lite0_real_halves", points.halves), ("fd_lite0_mean_image", points.meanImage),
          ("fd_lite0_noise", points.noise),
        ]
      }
    }
    if let clip, let judge, names.contains("judge_top1") || names.contains("clip_score") {
      let found = try CaptionJudge(
        conditions: conditions,
        clip: ClipModel(path: clip),
        judge: ClipModel(path: judge)
      ).agreement(generator, captions: captions, perCaption: perCaption, seed: seed)
      figures += [
        ("judge_top1", found.topOne), ("judge_chance", 1 / Double(found.candidates)),
        ("clip_score", found.meanCosine),
      ]
    }
    for (name, value) in figures { Console.line("\(name) \(String(format: "%.4f", value))") }
    if let report { try Figures.write(figures, to: report) }
  }

  private func value(of metric: String, in line: String) throws -> Double {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return (object?["results"] as? [String: Double])?[metric] ?? .nan
  }
}
