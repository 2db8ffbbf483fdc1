import Datasets
import Distributed
import Files
import Foundation
import Images
import JSON
import Networks
import Sampling
import Snapshots
import Torch

/// The sample grids and network snapshots of a run, and their scores.
///
/// If one cannot be written the run continues without it.
final class RunSnapshots {
  /// The best snapshot so far, by the first metric.
  private(set) var best: BestSnapshot?
  /// The first metric's last score.
  private(set) var lastScore: Double?
  /// The pending snapshot: written, not scored yet.
  private(set) var unscored: String?
  /// Why the last snapshot that was due is not there.
  private(set) var lost: FileError?
  /// The snapshots of this run on the disk, in the order of writing.
  var written: [WrittenSnapshot] = []
  /// Whether a larger score of the first metric is better.
  var prefersLarge = false

  let folder: RunFolder
  let options: TrainingOptions
  private let grid: SampleGrid
  private let metrics: [SnapshotMetric]
  private let notes: [String: String]
  private let ranks: Ranks
  let report: RunReport

  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - inputs: Options and ranks.
  ///   - grid: Paints the sample grids.
  ///   - metrics: The metrics of the snapshots.
  ///   - notes: Stored in every snapshot.
  ///   - report: Receives the run's messages.
  init(
    _ folder: RunFolder,
    _ inputs: StepInputs,
    grid: SampleGrid,
    metrics: [SnapshotMetric],
    notes: [String: String],
    report: RunReport
  ) {
    self.folder = folder
    self.grid = grid
    self.metrics = metrics
    self.notes = notes
    self.report = report
    (options, ranks) = (inputs.options, inputs.ranks)
  }

  /// Restores the state of a checkpoint.
  func adopt(_ state: RunState) {
    (best, lastScore, unscored) = (state.best, state.lastScore, state.unscored)
    written = state.snapshots ?? []
    prefersLarge = state.prefersLarge ?? false
  }

  /// Whether snapshots are scored.
  var areScored: Bool { !metrics.isEmpty }

  /// The current spread between pictures of different latents.
  func spread(_ generator: Generator) -> Double { grid.spread(generator) }

  /// Writes the sample grid.
  func writeGrid(_ trainer: Trainer) throws {
    let name = RunFolder.numbered("fakes", imagesSeen: trainer.imagesSeen, ".png")
    do {
      let image = try grid.image(trainer.average)
      let png = try image.encodedPNG()
      report.show("fakes", image, png: png, at: trainer.imagesSeen)
      try AtomicFile.write(png, to: folder.file(name))
    } catch {
      try report.log("\(error) (training goes on without this picture)")
    }
  }

  /// Writes a network snapshot, which is then pending if it is to be scored.
  ///
  /// - Parameters:
  ///   - trainer: The networks.
  ///   - isLast: Whether the run ends with it.
  /// - Throws: `FileError` if the log cannot be written.
  func write(_ trainer: Trainer, isLast: Bool) throws {
    unscored = nil
    lost = nil
    let images = trainer.imagesSeen
    let ending = "." + options.snapshotFormat.rawValue
    let name = RunFolder.numbered(SnapshotName.prefix, imagesSeen: images, ending)
    let path = folder.file(name)
    do {
      try ranks.doing("writes \(name)") {
        try NetworkSnapshot.write(
          to: path,
          networks: [
            (.generator, trainer.generator), (.discriminator, trainer.discriminator),
            (.average, trainer.average),
          ],
          generator: options.trainer.generator,
          discriminator: options.trainer.discriminator,
          imagesSeen: images,
          notes: notes.merging(trainer.notes) { $1 },
          record: record
        )
      }
    } catch let error as FileError {
      lost = error
      try report.log("\(error) (training goes on without this snapshot)")
      return
    }
    report.notify(.snapshot(path: path, imagesSeen: images))
    note(written: name, at: images)
    if areScored, isScored(tick: report.tick.number, isLast: isLast) {
      unscored = name
    } else {
      try removeSurplus()
    }
  }

  /// Computes the metrics of the pending snapshot, and records it if it is the best.
  ///
  /// - Parameters:
  ///   - trainer: The networks.
  ///   - watch: Judges the first score.
  ///   - computing: Runs one metric, which may be cut short.
  ///   - stops: Whether a stop was requested: pending scores wait for the next session.
  /// - Returns: New alarms; `nil` if the snapshot is still pending.
  /// - Throws: The error of a metric; `FileError` if the log cannot be written.
  func score(
    _ trainer: Trainer,
    watch: RunWatch,
    computing: (() throws -> SnapshotMetric.Score) throws -> SnapshotMetric.Score,
    stops: () -> Bool
  ) throws -> [Watchdog.Alarm]? {
    guard let unscored else { return [] }
    var alarms: [Watchdog.Alarm] = []
    for (index, metric) in metrics.enumerated() {
      // The continued run computes all scores of the snapshot again.
      if stops() { return nil }
      let score = try ranks.doing("computes \(metric.name)") {
        try computing { try metric.score(trainer.average, unscored) }
      }
      try report.record(score, of: metric.name, at: trainer.imagesSeen)
      if index == 0 {
        alarms = watch.judge(metric.name, score, best: best)
        note(score, of: unscored)
        try compare(metric.name, score, unscored, trainer.imagesSeen)
      }
    }
    self.unscored = nil
    try removeSurplus()
    return alarms
  }

  private func compare(
    _ metric: String,
    _ score: SnapshotMetric.Score,
    _ snapshot: String,
    _ images: Int
  ) throws {
    lastScore = score.value
    let isBest = best.map { score.prefersLarge ? score.value > $0.value : score.value < $0.value }
    guard isBest ?? true, score.value.isFinite else { return }
    try remember(
      BestSnapshot(metric: metric, value: score.value, snapshot: snapshot, imagesSeen: images)
    )
  }

  /// Renames the best snapshot, which the run would overwrite with a worse one after a rollback.
  ///
  /// - Parameters:
  ///   - best: The best one before the rollback.
  ///   - rollbacks: Rollbacks so far.
  ///   - images: Images seen by the target of the rollback.
  /// - Throws: `FileError` if the log cannot be written.
  func keep(_ best: BestSnapshot?, rollbacks: Int, at images: Int) throws {
    guard var kept = best, kept.imagesSeen > images else { return }
    let old = kept.snapshot
    kept.snapshot = "rolled-back-\(rollbacks)-" + old
    if rename(folder.file(old), folder.file(kept.snapshot)) != 0 {
      try report.log("\(FileError("rename", path: folder.file(old))) (training goes on)")
      return
    }
    try remember(kept)
  }

  /// Makes a snapshot the best one.
  func remember(_ snapshot: BestSnapshot) throws {
    best = snapshot
    do { try AtomicFile.write(try snapshot.json, to: folder.file("best.json")) } catch {
      try report.log("\(error) (training goes on)")
    }
  }

  /// The original's record beside the networks.
  private var record: TrainingRecord {
    let arguments = options.json(runFolder: folder.path)
    return TrainingRecord(
      trainingSet: arguments["training_set_kwargs"] ?? [:],
      arguments: arguments
    )
  }
}

extension SampleGrid {
  /// Pictures of a grid with conditions of the data.
  private static let tiles = 32
  private static let columns = 8
  /// The most rows of a grid with a row a label.
  private static let labelRows = 16

  /// The sample grid of a run.
  ///
  /// - Parameters:
  ///   - inputs: Options and data.
  ///   - features: Conditions, [N, F], unit length; those of the data if `nil`.
  /// - Throws: `DatasetError` for a label that is damaged.
  init(of inputs: StepInputs, features: Tensor?) throws(DatasetError) {
    let (data, shape) = (inputs.data, inputs.options.trainer.generator)
    let indices = try Self.indices(of: data, hasClasses: shape.labelDimension != nil)
    var labels: Tensor?
    if let dimension = shape.labelDimension {
      let taken =
        if let features {
          Self.labelsInTurn(indices, count: features.size(0))
        } else {
          indices
        }
      var rows: [Float] = []
      for index in taken { rows += try data.label(at: index, dimension: dimension) }
      labels = Tensor(rows, shape: [taken.count, dimension]).to(inputs.device)
    }
    self.init(
      features: (features ?? Self.conditions(of: data, indices)).to(inputs.device),
      labels: labels,
      columns: features == nil ? Self.columns : 4,
      zDimension: shape.zDimension,
      seed: inputs.options.trainer.seed
    )
  }

  /// Prompts say nothing of classes: their pictures have all classes of the grid in turn.
  private static func labelsInTurn(_ indices: [Int], count: Int) -> [Int] {
    let firsts = stride(from: 0, to: indices.count, by: columns).map { indices[$0] }
    return (0..<count).map { firsts[$0 % firsts.count] }
  }

  /// The images of a grid: in the original's order, or with a row a label.
  private static func indices(
    of data: TrainingSet,
    hasClasses: Bool
  ) throws(DatasetError) -> [Int] {
    hasClasses
      ? try data.labelledGridIndices(rows: labelRows, columns: columns) : data.gridIndices(tiles)
  }

  /// The images of the data whose conditions the grid takes.
  ///
  /// - Throws: `DatasetError` naming zip and entry of an image that cannot be read.
  static func reals(of data: TrainingSet, hasClasses: Bool) throws -> RGBImage {
    let images = try indices(of: data, hasClasses: hasClasses).map { try data.image(at: $0) }
    return try ImageGrid(columns: columns).image(of: images)
  }

  /// The conditions of some of the data's images, [N, F], unit length.
  static func conditions(of set: TrainingSet, _ indices: [Int]) -> Tensor {
    let rows = indices.map { set.textFeature(at: $0, seed: 0, position: 0) }
    return Tensor(rows.flatMap { $0 }, shape: [rows.count, set.featureDimension]).normalized()
  }
}

extension BestSnapshot {
  /// The text of `best.json`.
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }
}
