import Distributed
import Files
import Foundation
import Images
import JSON
package import Networks
import Sampling
import Snapshots
import Torch

/// What is computed at every network snapshot.
package struct SnapshotMetric {
  /// A score.
  package struct Score {
    /// The line for `metric-NAME.jsonl`.
    package var line: String
    /// What snapshots are compared by.
    package var value: Double
    /// Whether larger is better.
    package var prefersLarge: Bool

    /// A score.
    package init(line: String, value: Double, prefersLarge: Bool) {
      self.line = line
      self.value = value
      self.prefersLarge = prefersLarge
    }
  }

  /// The metric's name: the file is `metric-NAME.jsonl`.
  package let name: String
  /// Scores the averaged generator of a snapshot file.
  package let score: (_ average: Generator, _ snapshot: String) throws -> Score

  /// A metric.
  package init(_ name: String, score: @escaping (Generator, String) throws -> Score) {
    self.name = name
    self.score = score
  }
}

extension TrainingRun {
  /// Writes the sample grid; where that fails the run goes on.
  func writeGrid() throws {
    let name = RunFolder.numbered("fakes", imagesSeen: trainer.imagesSeen, ".png")
    let image = grid.image(trainer.average)
    let png = try image.encodedPNG()
    board?.show("fakes", image, png: png, step: trainer.imagesSeen)
    do { try AtomicFile.write(png, to: folder.file(name)) } catch {
      try say("\(error) (training goes on without this picture)")
    }
  }

  /// Writes a network snapshot; where that fails the run goes on without it.
  ///
  /// - Returns: The file's name.
  func writeSnapshot() throws -> String? {
    let name = RunFolder.numbered(
      "network-snapshot-",
      imagesSeen: trainer.imagesSeen,
      "." + options.snapshotFormat.rawValue
    )
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
          imagesSeen: trainer.imagesSeen,
          notes: notes,
          record: record
        )
      }
    } catch let error as FileError {
      try say("\(error) (training goes on without this snapshot)")
      return nil
    }
    observe(.snapshot(path: path, imagesSeen: trainer.imagesSeen))
    return name
  }

  /// Computes the metrics of the snapshot just written, and remembers it if it is the best.
  ///
  /// A request to stop ends the process here and now: the checkpoint before knows that the snapshot is
  /// not scored yet.
  func score(_ snapshot: String) throws {
    let start = ContinuousClock.now
    defer { tickStart = .now }
    var alarms: [Watchdog.Alarm] = []
    for (index, metric) in metrics.enumerated() {
      // What was scored so far is scored once more by the continued run.
      if stop.isRequested { return }
      let score = try ranks.doing("computes \(metric.name)") {
        try scoring { try metric.score(trainer.average, snapshot) }
      }
      try log.append(score.line, to: "metric-\(metric.name).jsonl")
      board?.show(metric.name, score.value, step: trainer.imagesSeen)
      try say(score.line)
      if index == 0 { alarms = try compare(metric.name, score, snapshot) }
    }
    unscored = nil
    tick.maintenance += start.secondsAgo
    checkpointIsDue = !metrics.isEmpty
    if !alarms.isEmpty { try collapse(alarms) }
  }

  private func compare(
    _ name: String,
    _ score: SnapshotMetric.Score,
    _ snapshot: String
  ) throws -> [Watchdog.Alarm] {
    let alarms = watchdog.judge(
      name,
      score.value,
      best: best?.value,
      prefersLarge: score.prefersLarge
    )
    lastScore = score.value
    let isBest = best.map {
      score.prefersLarge ? score.value > $0.value : score.value < $0.value
    }
    guard isBest ?? true, score.value.isFinite else { return alarms }
    let new = BestSnapshot(
      metric: name,
      value: score.value,
      snapshot: snapshot,
      imagesSeen: trainer.imagesSeen
    )
    try remember(new)
    return alarms
  }

  /// Takes a snapshot for the best one.
  func remember(_ snapshot: BestSnapshot) throws {
    best = snapshot
    do { try AtomicFile.write(try snapshot.json, to: folder.file("best.json")) } catch {
      try say("\(error) (training goes on)")
    }
  }

  /// What the original keeps beside the networks.
  private var record: TrainingRecord {
    let arguments = options.json(runFolder: folder.path)
    return TrainingRecord(
      trainingSet: arguments["training_set_kwargs"] ?? [:],
      arguments: arguments
    )
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
