import Datasets
import Foundation
import Snapshots

/// The state of a run beside its tensors: `state.json` of a checkpoint.
package struct RunState: Codable, Equatable, Sendable {
  /// The seed of everything random.
  package var seed: UInt64
  /// Images in the training data: other data would give other batches.
  package var imageCount: Int
  /// The zips of the training data; `nil` in a state of an earlier version.
  package var data: [DataIdentity]?
  /// The files beside the data; `nil` in a state of an earlier version.
  package var files: [FileIdentity]?
  /// The trainer's numbers.
  package var trainer: TrainerCounters
  /// The tick in progress.
  package var tick: Tick
  /// Seconds of training so far, over all sessions.
  package var seconds: Double
  /// Sizes of the growing text files, in bytes.
  package var logs: [String: Int]
  /// The pending snapshot: written, not scored yet.
  package var unscored: String?
  /// The best snapshot by the first metric.
  package var best: BestSnapshot?
  /// The snapshots that are on the disk, with their scores; `nil` in a state of an earlier version.
  package var snapshots: [WrittenSnapshot]?
  /// Whether a larger score of the first metric is better; `nil` in a state of an earlier version.
  package var prefersLarge: Bool?
  /// The first metric's last score.
  package var lastScore: Double?
  /// The watchdog with its history.
  package var watchdog: Watchdog

  /// The state as JSON; NaN and infinity are strings.
  package var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity",
        negativeInfinity: "-Infinity",
        nan: "NaN"
      )
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }

  /// Reads the output of `json`.
  package init(json: String) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity",
      negativeInfinity: "-Infinity",
      nan: "NaN"
    )
    self = try decoder.decode(Self.self, from: Data(json.utf8))
  }

  /// Checks that the numbers are plausible: nothing overflows or takes for ever.
  ///
  /// - Throws: `TrainingError.checkpoint` naming the first that is not.
  package func validate() throws(TrainingError) {
    let limit = 1 << 40
    let counts: [(String, Int)] = [
      ("imageCount", imageCount), ("trainer.imagesSeen", trainer.imagesSeen),
      ("tick.number", tick.number), ("tick.firstImage", tick.firstImage),
      ("watchdog.rollbacks", watchdog.rollbacks), ("watchdog.goodUntil", watchdog.goodUntil),
      ("best.imagesSeen", best?.imagesSeen ?? 0),
      ("tick.statistics", tick.statistics.largestCount),
    ]
    let others =
      logs.map { ("logs.\($0)", $1) } + (snapshots ?? []).map { ("snapshots", $0.imagesSeen) }
    for (name, count) in counts + others
    where !(0..<limit).contains(count) {
      throw .checkpoint("state.json: \(name) cannot be \(count)")
    }
    for (name, value) in [
      ("seconds", seconds), ("tick.seconds", tick.seconds), ("tick.maintenance", tick.maintenance),
      ("trainer.augmentProbability", trainer.augmentProbability),
      ("trainer.learningRateFactor", trainer.learningRateFactor),
    ] where !(0...Double(limit)).contains(value) {
      throw .checkpoint("state.json: \(name) cannot be \(value)")
    }
    for snapshot in snapshots ?? []
    where snapshot.name.contains("/") || !SnapshotName.matches(snapshot.name) {
      throw .checkpoint("state.json: snapshots cannot hold \(snapshot.name.debugDescription)")
    }
    guard tick.firstImage <= trainer.imagesSeen else {
      throw .checkpoint("state.json: tick.firstImage is beyond trainer.imagesSeen")
    }
  }

  /// A state of known parts.
  package init(
    seed: UInt64,
    imageCount: Int,
    data: [DataIdentity]?,
    files: [FileIdentity]?,
    trainer: TrainerCounters,
    tick: Tick,
    seconds: Double,
    logs: [String: Int],
    unscored: String?,
    best: BestSnapshot?,
    snapshots: (written: [WrittenSnapshot], prefersLarge: Bool),
    lastScore: Double?,
    watchdog: Watchdog
  ) {
    self.seed = seed
    self.imageCount = imageCount
    self.data = data
    self.files = files
    self.trainer = trainer
    self.tick = tick
    self.seconds = seconds
    self.logs = logs
    self.unscored = unscored
    self.best = best
    (self.snapshots, self.prefersLarge) = snapshots
    self.lastScore = lastScore
    self.watchdog = watchdog
  }
}

/// The identity of a packed dataset, which its path alone is not.
package struct DataIdentity: Codable, Equatable, Sendable {
  /// Its path at the time.
  package var path: String
  /// Its size in bytes.
  package var size: Int
  /// CRC-32 of its directory, which holds the name, size and CRC-32 of every entry.
  package var directory: UInt32

  /// The identity of an open dataset.
  init(_ dataset: PackedDataset) {
    path = dataset.path
    (size, directory) = dataset.identity
  }

  /// Whether it is the same data, at whatever path.
  package static func == (a: DataIdentity, b: DataIdentity) -> Bool {
    a.size == b.size && a.directory == b.directory
  }
}

extension StepInputs {
  /// The identity of each zip of the data.
  var dataIdentity: [DataIdentity] { data.datasets.map(DataIdentity.init) }
}

/// The values of a tick, collected between two lines of the log.
package struct Tick: Codable, Equatable, Sendable {
  /// Its number, from 0.
  package var number = 0
  /// Images seen before it.
  package var firstImage = 0
  /// The reported values.
  package var statistics = RunningStatistics()
  /// Seconds it has lasted in earlier sessions.
  package var seconds = 0.0
  /// Seconds between the tick before and this one.
  package var maintenance = 0.0

  /// The first tick.
  package init() {}
}

/// The best snapshot of a run so far; `best.json` of the run folder.
package struct BestSnapshot: Codable, Equatable, Sendable {
  /// The metric it is the best by.
  package var metric: String
  /// Its score.
  package var value: Double
  /// Its file's name.
  package var snapshot: String
  /// Images that it was trained on.
  package var imagesSeen: Int

  /// A snapshot with its score.
  package init(metric: String, value: Double, snapshot: String, imagesSeen: Int) {
    self.metric = metric
    self.value = value
    self.snapshot = snapshot
    self.imagesSeen = imagesSeen
  }
}
