import CLIP
import CommandLine
import Console
import Datasets
import Evaluation
import Files
import Foundation
import Networks
import Snapshots
import Text
import Torch
import Training

/// One run of `nifty metrics`: its files opened, its metrics measured.
struct MetricRun {
  private let command: MetricsCommand
  private let snapshots: [String]
  private let clip: String?
  private let training: [PackedDataset]
  private let conditions: TrainingSet
  private let suite: MetricSuite
  private let device = Runtime.defaultDevice

  /// Opens the data; what the command line leaves out comes from the run of the first snapshot.
  ///
  /// - Throws: An error of a file, or `EvaluationError` for data that is given nowhere.
  init(_ command: MetricsCommand, snapshots: [String]) throws {
    self.command = command
    self.snapshots = snapshots
    guard let first = snapshots.first else { throw EvaluationError.option("no snapshot given") }
    // Opened before the data, so that a wrong name of a snapshot is told as such.
    _ = try NetworkSnapshot(path: first)
    let options = SnapshotFiles.options(of: first)
    let data = command.data.isEmpty ? options?.data ?? [] : command.data.flatMap(expandedBraces)
    guard !data.isEmpty else {
      throw EvaluationError.option(
        "--data is needed: \(first) lies in no run folder whose training_options.json names it"
      )
    }
    clip = command.clip ?? options?.clip
    training = try data.map { try PackedDataset($0) }
    let test = command.testData ?? (command.data.isEmpty ? options?.testData : nil)
    conditions = try TrainingSet(test.map { [try PackedDataset($0)] } ?? training)
    var plan = MetricPlan()
    plan.rules = command.protocol
    plan.images = command.images
    plan.seed = command.seed
    plan.captions = command.captions
    plan.samplesPerCaption = command.perCaption
    plan.mirror = command.mirror?.isOn ?? options?.mirror ?? false
    plan.comparesWithTest = command.onlyTest.isOn
    plan.device = device
    plan.encoder = command.encoder.name
    plan.cache = MetricSources.standardCache
    if let path = command.referenceStatistics {
      plan.reference = (path, try FeatureMoments(npz: path))
    }
    if command.names.contains("variety_judge"),
      let notice = plan.captionNotice(imageCount: conditions.count)
    {
      Console.error(notice)
    }
    if let path = command.referenceStatistics, let notice = command.notice(ofReference: path) {
      Console.error(notice)
    }
    suite = try MetricSuite(
      command.names.filter { !MetricsCommand.judged.contains($0) },
      plan: plan,
      training: training,
      conditions: conditions,
      sources: .standard(
        clip: command.judge ?? clip,
        judge: command.judge,
        classifier: command.classifier,
        encoder: command.encoder,
        device: device
      )
    )
  }

  /// Measures everything; prints lines and figures.
  ///
  /// - Returns: The figures; of several snapshots the last one's.
  func run() throws -> [(String, Double)] {
    // What takes hours must not end because its line has no place.
    for folder in Set(snapshots.compactMap { SnapshotFiles.folder(of: $0) }) {
      for definition in suite.definitions {
        try RegularFile.expectPlace(for: Self.lines(definition, in: folder), appending: true)
      }
    }
    if let path = command.writeStatistics { try writeStatistics(path) }
    var figures: [(String, Double)] = []
    for snapshot in snapshots {
      figures = try score(snapshot)
      let label = snapshots.count > 1 ? "\(snapshot)  " : ""
      for (name, value) in figures {
        Console.line("\(label)\(name) \(String(format: "%.4f", value))")
      }
    }
    return figures
  }

  private static func lines(_ definition: MetricDefinition, in folder: String) -> String {
    "\(folder)/metric-\(definition.name).jsonl"
  }

  private func score(_ path: String) throws -> [(String, Double)] {
    let generator = try NetworkSnapshot(path: path).averagedGenerator(on: device)
    let side = generator.configuration.resolution
    guard conditions.resolution == side else {
      throw EvaluationError.option(
        "\(path) paints \(side)² images, the data has \(conditions.resolution)²"
      )
    }
    let width = generator.configuration.featureDimension
    // StyleGAN2-ADA's networks take no features.
    guard width == 0 || conditions.featureDimension == width else {
      throw EvaluationError.option(
        "\(path) takes features of \(width) numbers, the data has \(conditions.featureDimension)"
      )
    }
    if let dimension = generator.configuration.labelDimension {
      do throws(DatasetError) {
        try conditions.expectLabels(dimension: dimension)
      } catch {
        throw EvaluationError.option("\(path) paints classes: \(error)")
      }
    }
    var figures: [(String, Double)] = []
    let name = URL(filePath: path).lastPathComponent
    for definition in suite.definitions {
      let line = try suite.line(definition.name, of: generator, snapshot: name)
      Console.line(line.json)
      if let folder = SnapshotFiles.folder(of: path) {
        try line.append(to: Self.lines(definition, in: folder))
      }
      figures += line.results.map { ($0.name, $0.value) }
    }
    if command.names.contains("references") { figures += try references() }
    if command.names.contains("judge_top1") { figures += try agreement(generator) }
    return figures
  }

  private func references() throws -> [(String, Double)] {
    guard let definition = MetricDefinition(named: "fd_lite0") else { return [] }
    let points = try ReferencePoints(
      TrainingSet(training),
      real: suite.real(definition),
      detector: suite.detector(.lite0),
      device: device
    )
    return [
      ("fd_lite0_real_halves", points.realHalves), ("fd_lite0_mean_image", points.meanImage),
      ("fd_lite0_noise", points.noise),
    ]
  }

  private func agreement(_ generator: Generator) throws -> [(String, Double)] {
    guard let clip, let judge = command.judge else {
      throw EvaluationError.option("judge_top1 needs --clip and --judge")
    }
    let found = try CaptionJudge(
      conditions: conditions,
      clip: ClipModel(path: clip, device: device),
      judge: ClipModel(path: judge, device: device)
    ).agreement(
      generator,
      captions: command.captions,
      perCaption: command.perCaption,
      seed: command.seed,
      note: { Console.error($0) }
    )
    return [
      ("judge_top1", found.generated.topOne), ("judge_top1_real", found.real.topOne),
      ("judge_chance", 1 / Double(found.real.candidates)),
      ("judge_cosine", found.generated.meanCosine),
    ]
  }

  private func writeStatistics(_ path: String) throws {
    let frechet = suite.definitions.filter { $0.kind == .frechet }
    guard frechet.count == 1, let definition = frechet.first else {
      throw EvaluationError.option(
        "--write-statistics needs exactly one Fréchet distance in --metrics, such as fid50k_full"
      )
    }
    let real = try suite.real(definition)
    guard real.count > 1 else {
      throw EvaluationError.option("--write-statistics needs at least two real images")
    }
    try real.write(npz: path)
    Console.line("wrote \(path): \(real.count) images, features of \(real.dimension) numbers")
  }
}
