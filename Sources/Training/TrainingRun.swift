package import Datasets
import Files
import Foundation
import Images
package import Networks
import Snapshots
package import Torch
import TorchNN

/// What a run tells while it goes on.
package enum TrainingEvent: Sendable {
  /// A line for log and console.
  case line(String)
  /// Between ticks: images seen, images to see (if known), images per second, seconds left.
  case progress(imagesSeen: Int, total: Int?, rate: Double, secondsLeft: Double)
  /// A network snapshot was written.
  case snapshot(path: String, imagesSeen: Int)
}

/// What is computed at every network snapshot; gives the line for `metric-NAME.jsonl`.
package struct SnapshotMetric {
  /// The metric's name: the file is `metric-NAME.jsonl`.
  package let name: String
  /// Scores the averaged generator of a snapshot file.
  package let line: (_ average: Generator, _ snapshot: String) throws -> String

  /// A metric.
  package init(_ name: String, line: @escaping (Generator, String) throws -> String) {
    self.name = name
    self.line = line
  }
}

/// One training run from its options to its last snapshot.
package final class TrainingRun {
  /// The run's options.
  package let options: TrainingOptions
  /// Where everything is written.
  package let folder: RunFolder
  /// The networks.
  package let trainer: Trainer

  private let loader: BatchLoader
  private let textMapper: TextMapper?
  private let device: Device
  private let grid: SampleGrid
  private let metrics: [SnapshotMetric]
  private let notes: [String: String]
  private let observe: (TrainingEvent) -> Void

  /// Opens the data, makes the networks and the run folder.
  ///
  /// - Parameters:
  ///   - options: Everything about the run.
  ///   - trainingSet: The data.
  ///   - clip: Input size in pixels and image tower of the CLIP that judges generated images.
  ///   - textMapper: Makes pseudo-text features; noise does if `nil`.
  ///   - gridFeatures: Conditions of the sample grid, [N, F], unit length; those of the data if `nil`.
  ///   - metrics: Computed at every network snapshot.
  ///   - notes: Kept in every snapshot.
  ///   - device: Where to compute.
  ///   - observe: Is told what happens.
  /// - Throws: An error of the data, the snapshot to resume from, or the folder.
  package init(
    options: TrainingOptions,
    trainingSet: TrainingSet,
    clip: (side: Int, encodeImage: (Tensor) -> Tensor),
    textMapper: TextMapper? = nil,
    gridFeatures: Tensor?,
    metrics: [SnapshotMetric],
    notes: [String: String],
    device: Device,
    observe: @escaping (TrainingEvent) -> Void
  ) throws {
    self.options = options
    self.metrics = metrics
    self.notes = notes
    self.device = device
    self.observe = observe
    let shape = options.trainer.generator
    guard trainingSet.featureDimension == shape.featureDimension else {
      throw TrainingError.option(
        "the data has features of \(trainingSet.featureDimension) numbers, "
          + "--f_dim is \(shape.featureDimension)"
      )
    }
    loader = BatchLoader(
      trainingSet,
      options: .init(
        seed: UInt32(truncatingIfNeeded: options.trainer.seed),
        threads: options.workers,
        capacity: 256
      )
    )
    trainer = Trainer(
      options.trainer,
      device: device,
      clipSide: clip.side,
      encodeImage: clip.encodeImage,
      textMapper: textMapper
    )
    self.textMapper = textMapper
    if let resume = options.resume { try Self.resume(trainer, from: resume) }
    let tiles = trainingSet.gridIndices(32)
    let features = gridFeatures ?? Self.features(of: trainingSet, tiles)
    grid = SampleGrid(
      features: features.to(device),
      columns: gridFeatures == nil ? 8 : 4,
      zDimension: shape.zDimension,
      seed: options.trainer.seed
    )
    // Before the folder is made: a damaged image among them leaves nothing behind.
    let reals = try tiles.map { try trainingSet.image(at: $0) }
    folder = try RunFolder(in: options.outdir, description: options.description)
    try AtomicFile.write(
      options.json(runFolder: folder.path).prettyJSON,
      to: folder.file("training_options.json")
    )
    try ImageGrid(columns: 8).image(of: reals).write(png: folder.file("reals.png"))
  }

  /// Trains until the images or the time are used up; ends with a snapshot.
  package func run() throws {
    let start = Date()
    let totalImages = Int(options.kimg * 1000)
    var tick = Tick(start: start)
    var number = 0
    while true {
      let host = try loader.batch(
        at: trainer.imagesSeen,
        size: options.trainer.batchSize
      )
      let reports = trainer.step(batch(of: host))
      for (name, values) in reports { tick.statistics.report(name, values.values(Double.self)) }
      let elapsed = Date().timeIntervalSince(start)
      let isLast =
        trainer.imagesSeen >= totalImages || elapsed >= options.maximumSeconds ?? .infinity
      report(progressFrom: tick, elapsed: elapsed, totalImages: totalImages)
      let due = Double(trainer.imagesSeen) >= tick.firstImage + options.tickKimg * 1000
      guard number == 0 || due || isLast else { continue }

      try finish(&tick, number: number, elapsed: elapsed)
      if isLast || number % options.imageSnapshotTicks == 0 {
        let name = RunFolder.numbered("fakes", imagesSeen: trainer.imagesSeen, ".png")
        try grid.write(trainer.average, to: folder.file(name))
      }
      if isLast || number % options.networkSnapshotTicks == 0 { try writeSnapshot() }
      if isLast { return }
      tick.restart(at: trainer.imagesSeen)
      number += 1
    }
  }

  /// The batch on the device; where an image has no caption, the mapper makes its text feature if
  /// there is one.
  private func batch(of host: HostBatch) -> TrainingBatch {
    let batch = trainingBatch(host, on: device)
    guard let textMapper, host.isPseudoText.contains(true) else { return batch }
    let random = SeededRandom(
      seed: options.trainer.seed,
      stream: 20,
      position: UInt64(trainer.imagesSeen)
    )
    let noise = random.normal(batch.imageFeatures.shape).to(device)
    let isPseudo = Tensor(host.isPseudoText.map { $0 ? 1 : 0 } as [Float], shape: [host.size, 1])
    let made = withoutGradients { textMapper(batch.imageFeatures, noise: noise) }
    return TrainingBatch(
      images: batch.images,
      imageFeatures: batch.imageFeatures,
      textFeatures: batch.textFeatures.replacing(with: made, where: isPseudo.to(device) .> 0.5)
    )
  }

  private func finish(_ tick: inout Tick, number: Int, elapsed: Double) throws {
    let now = Date()
    let seconds = now.timeIntervalSince(tick.start)
    let images = Double(trainer.imagesSeen) - tick.firstImage
    if let loss = tick.statistics.mean("Loss/G/loss"), !loss.isFinite {
      throw TrainingError.diverged(
        "the generator's loss is \(loss) at \(trainer.imagesSeen / 1000) kimg; "
          + "the last snapshot in \(folder.path) is good"
      )
    }
    let kimg = Double(trainer.imagesSeen) / 1000
    let figures: [(String, Double)] = [
      ("Progress/tick", Double(number)), ("Progress/kimg", kimg),
      ("Timing/total_sec", elapsed), ("Timing/sec_per_tick", seconds),
      ("Timing/sec_per_kimg", seconds / max(images, 1) * 1000),
      ("Timing/maintenance_sec", tick.maintenance),
      ("Resources/cpu_mem_gb", Double(peakMemoryBytes()) / 0x1p30),
      ("Progress/augment", trainer.augmentProbability),
      ("Timing/total_hours", elapsed / 3600), ("Timing/total_days", elapsed / 86_400),
    ]
    for (name, value) in figures { tick.statistics.report(name, [value]) }
    try folder.append(
      tick.statistics.line(timestamp: now.timeIntervalSince1970),
      to: "stats.jsonl"
    )
    let statistics = tick.statistics
    let loss = { (name: String) in format(statistics.mean(name) ?? .nan, 3) }
    let line =
      "tick \(number)  kimg \(format(kimg, 1))  time \(duration(elapsed))  "
      + "sec/tick \(format(seconds, 1))  sec/kimg \(format(seconds / max(images, 1) * 1000, 2))  "
      + "maintenance \(format(tick.maintenance, 1))  "
      + "cpumem \(format(Double(peakMemoryBytes()) / 0x1p30, 2))  "
      + "augment \(format(trainer.augmentProbability, 3))  "
      + "G \(loss("Loss/G/loss"))  D \(loss("Loss/D/loss"))"
    try folder.append(line, to: "log.txt")
    observe(.line(line))
    tick.finished = now
  }

  private func writeSnapshot() throws {
    let name = RunFolder.numbered(
      "network-snapshot-",
      imagesSeen: trainer.imagesSeen,
      "." + options.snapshotFormat.rawValue
    )
    let path = folder.file(name)
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
    observe(.snapshot(path: path, imagesSeen: trainer.imagesSeen))
    for metric in metrics {
      let line = try withoutGradients { try metric.line(trainer.average, name) }
      try folder.append(line, to: "metric-\(metric.name).jsonl")
      try folder.append(line, to: "log.txt")
      observe(.line(line))
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

  private func report(progressFrom tick: Tick, elapsed: Double, totalImages: Int) {
    let rate = Double(trainer.imagesSeen) / max(elapsed, 1e-3)
    let byImages = Double(totalImages - trainer.imagesSeen) / max(rate, 1e-6)
    let byTime = (options.maximumSeconds ?? .infinity) - elapsed
    observe(
      .progress(
        imagesSeen: trainer.imagesSeen,
        total: byImages <= byTime ? totalImages : nil,
        rate: rate,
        secondsLeft: max(min(byImages, byTime), 0)
      )
    )
  }

  private static func features(of set: TrainingSet, _ tiles: [Int]) -> Tensor {
    let rows = tiles.map { set.textFeature(at: $0, seed: 0, position: 0) }
    return Tensor(rows.flatMap { $0 }, shape: [rows.count, set.featureDimension]).normalized()
  }

  private static func resume(_ trainer: Trainer, from path: String) throws {
    let snapshot = try NetworkSnapshot(path: path)
    try snapshot.load(.average, into: trainer.average, matching: .byName)
    let full = snapshot.contains(.generator)
    try snapshot.load(full ? .generator : .average, into: trainer.generator, matching: .byName)
    if snapshot.contains(.discriminator) {
      try snapshot.load(.discriminator, into: trainer.discriminator, matching: .byName)
    }
  }
}

/// What is collected between two lines of the log.
private struct Tick {
  var statistics = RunningStatistics()
  var start: Date
  var firstImage = 0.0
  var maintenance = 0.0
  var finished: Date

  init(start: Date) {
    self.start = start
    finished = start
  }

  mutating func restart(at imagesSeen: Int) {
    statistics = RunningStatistics()
    start = Date()
    maintenance = start.timeIntervalSince(finished)
    firstImage = Double(imagesSeen)
  }
}

/// The most memory this process has used so far, in bytes.
package func peakMemoryBytes() -> Int {
  var usage = rusage()
  let this: Int32 = 0  // RUSAGE_SELF, which Swift imports as another type
  return getrusage(this, &usage) == 0 ? usage.ru_maxrss * 1024 : 0
}

private func format(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// "1h 02m 03s" as the original's log writes durations.
package func duration(_ seconds: Double) -> String {
  let whole = Int(seconds.rounded())
  let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
  if hours > 0 { return String(format: "%dh %02dm %02ds", hours, minutes, rest) }
  return minutes > 0 ? String(format: "%dm %02ds", minutes, rest) : "\(rest)s"
}
