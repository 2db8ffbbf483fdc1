package import Datasets
package import Distributed
import Files
import Foundation
import Images
import JSON
package import Networks
import Sampling
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

/// How a run came to its end.
package enum RunEnding: Sendable {
  /// Its images or its time are used up.
  case finished
  /// It was asked to stop, and can be continued.
  case interrupted
}

/// One training run from its options to its last snapshot, in one session or in several.
package final class TrainingRun {
  /// The run's options.
  package let options: TrainingOptions
  /// Where everything is written.
  package let folder: RunFolder
  /// The networks.
  package let trainer: Trainer

  let device: Device
  let grid: SampleGrid
  let metrics: [SnapshotMetric]
  let notes: [String: String]
  let observe: (TrainingEvent) -> Void
  let stop: StopRequest
  let log: RunLog
  let checkpoints: CheckpointFolder
  let writer: CheckpointWriter
  let ranks: Ranks
  private let steps: SharedSteps

  // What a checkpoint keeps, beside the trainer.
  var tick = Tick()
  var best: BestSnapshot?
  var lastScore: Double?
  var watchdog = Watchdog()
  var unscored: String?
  var secondsBefore = 0.0

  // What belongs to this session.
  var board: Board?
  var profile: Profile?
  private var reals: RGBImage?
  var sessionStart = ContinuousClock.now
  var tickStart = ContinuousClock.now
  var firstImageOfSession = 0
  var lastCheckpoint = ContinuousClock.now
  var checkpointIsDue = false
  var stateWasReplaced = true
  var secondsStalled = 0.0

  /// Opens the data, makes the networks, and makes the run folder or goes on in one.
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
  ///   - ranks: The processes that share each step; this one is the first of them.
  ///   - continued: The folder of the run to go on with; a new one is made if `nil`.
  ///   - profiles: Writes a trace of the session's first steps.
  ///   - stop: Asks the run to end early.
  ///   - observe: Is told what happens.
  /// - Throws: An error of the data, the snapshot or the checkpoint to go on from, or the folder.
  package init(
    options: TrainingOptions,
    trainingSet: TrainingSet,
    clip: (side: Int, encodeImage: (Tensor) -> Tensor),
    textMapper: TextMapper? = nil,
    gridFeatures: Tensor?,
    metrics: [SnapshotMetric],
    notes: [String: String],
    device: Device,
    ranks: Ranks = .alone,
    continued: String? = nil,
    profiles: Bool = false,
    stop: StopRequest = StopRequest(),
    observe: @escaping (TrainingEvent) -> Void
  ) throws {
    self.options = options
    self.metrics = metrics
    self.notes = notes
    self.device = device
    self.ranks = ranks
    self.stop = stop
    self.observe = observe
    profile = profiles ? Profile() : nil
    let shape = options.trainer.generator
    steps = try SharedSteps(
      options,
      trainingSet,
      clip: clip,
      textMapper: textMapper,
      device: device,
      ranks: ranks
    )
    let trainer = steps.trainer
    self.trainer = trainer
    if continued == nil, let resume = options.resume {
      try ranks.doing("reads \(resume)") { try Self.resume(trainer, from: resume) }
    }
    let tiles = trainingSet.gridIndices(32)
    let features = gridFeatures ?? Self.features(of: trainingSet, tiles)
    grid = SampleGrid(
      features: features.to(device),
      columns: gridFeatures == nil ? 8 : 4,
      zDimension: shape.zDimension,
      seed: options.trainer.seed
    )
    if let continued {
      folder = try RunFolder(existing: continued)
    } else {
      // Before the folder is made: a damaged image among them leaves nothing behind.
      let image = try ImageGrid(columns: 8).image(of: tiles.map { try trainingSet.image(at: $0) })
      folder = try RunFolder(in: options.outdir, description: options.description)
      try image.write(png: folder.file("reals.png"))
      reals = image
    }
    log = RunLog(folder, metrics: metrics.map(\.name), progress: ranks.progress)
    checkpoints = try CheckpointFolder(folder.file("checkpoint"))
    writer = CheckpointWriter(checkpoints, progress: ranks.progress)
    if continued != nil {
      try ranks.doing("reads a checkpoint of \(folder.path)") { try restore() }
    }
    try AtomicFile.write(
      options.json(runFolder: folder.path).prettyJSON,
      to: folder.file("training_options.json")
    )
  }

  /// Trains until the images or the time are used up, or until asked to stop.
  ///
  /// - Throws: An error that ends the run. What can be saved is in a checkpoint then.
  package func run() throws -> RunEnding {
    let ending = try lead()
    ranks.command(ending == .finished ? .finish : .interrupt)
    return ending
  }

  private func lead() throws -> RunEnding {
    (sessionStart, tickStart, lastCheckpoint) = (.now, .now, .now)
    firstImageOfSession = trainer.imagesSeen
    try profile?.begin(at: trainer.imagesSeen)
    board = Board(in: folder, imagesSeen: reals == nil ? trainer.imagesSeen : nil)
    if let reals { board?.show("reals", reals, png: try reals.encodedPNG(), step: 0) }
    defer { checkpoints.release() }
    try ranks.meet()
    // What is killed before its first interval is over can be continued, too; and a disk that does not
    // take a checkpoint is told of now.
    if try checkpoints.list().isEmpty { try ranks.whileOthersWait { try writeLastCheckpoint() } }
    if isComplete, unscored == nil {
      observe(
        .line("the run is complete at \(kimg(trainer.imagesSeen)) kimg; --kimg takes it further")
      )
      return .finished
    }
    while !isComplete || unscored != nil {
      if stop.isRequested {
        try ranks.whileOthersWait { try leave() }
        return .interrupted
      }
      if stateWasReplaced { ranks.sendState(of: trainer) }
      stateWasReplaced = false
      if let unscored {
        // The session before ended, or the run was taken back, while it was scored.
        try ranks.whileOthersWait { try score(unscored) }
      } else {
        try advance()
      }
      try ranks.check()
      try writeCheckpointIfDue()
    }
    try ranks.whileOthersWait { try writeLastCheckpoint() }
    return .finished
  }

  /// Seconds of training so far, over all sessions.
  var seconds: Double { secondsBefore + sessionStart.secondsAgo }

  private var totalImages: Int { Int(options.kimg * 1000) }

  private var isOver: Bool {
    trainer.imagesSeen >= totalImages || seconds >= options.maximumSeconds ?? .infinity
  }

  /// Whether the run is over and its last tick is done.
  private var isComplete: Bool { tick.number > 0 && tick.statistics.isEmpty && isOver }

  /// One step, and what is due after it.
  private func advance() throws {
    let batch = try batchOrCheckpoint()
    ranks.command(.step)
    let (reports, someoneStops) = try steps.take(batch, stops: stop.isRequested)
    if someoneStops { stop.request() }
    for (name, values) in reports { tick.statistics.report(name, values) }
    try noteTimes()
    if let alarm = Self.notFinite(reports) {
      try ranks.whileOthersWait { _ = try collapse([alarm]) }
      return
    }
    let isLast = isOver
    report(secondsSoFar: seconds)
    let images = Double(trainer.imagesSeen - tick.firstImage)
    guard tick.number == 0 || isLast || images >= options.tickKimg * 1000 else { return }
    try ranks.whileOthersWait { try endTick(isLast: isLast) }
  }

  /// What is due at the end of a tick.
  private func endTick(isLast: Bool) throws {
    let alarms = try finishTick()
    let number = tick.number
    if isLast || number % options.imageSnapshotTicks == 0 {
      try ranks.doing("paints and writes the sample grid") { try writeGrid() }
    }
    let writesSnapshot = isLast || number % options.networkSnapshotTicks == 0
    let snapshot = writesSnapshot ? try writeSnapshot() : nil
    beginTick()
    if !alarms.isEmpty, try collapse(alarms) { return }
    guard writesSnapshot else { return }
    unscored = metrics.isEmpty ? nil : snapshot
    try beginCheckpoint()
    if let snapshot { try score(snapshot) }
  }

  /// The next batch; where an image cannot be read the run ends, but loses nothing.
  private func batchOrCheckpoint() throws -> TrainingBatch {
    do { return try steps.batch() } catch {
      try ranks.whileOthersWait { try writeLastCheckpoint() }
      throw TrainingError.stopped(
        "\(error); repair it, then go on with: nifty train --continue \(folder.path)"
      )
    }
  }

  /// A loss of a step that is no number, if there is one.
  private static func notFinite(_ reports: [(String, [Double])]) -> Watchdog.Alarm? {
    for (name, values) in reports where name.hasPrefix("Loss/") {
      if let value = values.first(where: { !$0.isFinite }) { return .notFinite(name, value) }
    }
    return nil
  }

  private func report(secondsSoFar seconds: Double) {
    let (byImages, byTime, rate) = timeLeft(seconds)
    observe(
      .progress(
        imagesSeen: trainer.imagesSeen,
        total: byImages <= byTime ? totalImages : nil,
        rate: rate,
        secondsLeft: max(min(byImages, byTime), 0)
      )
    )
  }

  /// Seconds until the images and until the time are used up, and images a second in this session.
  func timeLeft(_ seconds: Double) -> (byImages: Double, byTime: Double, rate: Double) {
    let images = Double(trainer.imagesSeen - firstImageOfSession)
    let rate = images / max(seconds - secondsBefore, 1e-3)
    return (
      Double(totalImages - trainer.imagesSeen) / max(rate, 1e-6),
      (options.maximumSeconds ?? .infinity) - seconds, rate
    )
  }

  private static func features(of set: TrainingSet, _ tiles: [Int]) -> Tensor {
    let rows = tiles.map { set.textFeature(at: $0, seed: 0, position: 0) }
    return Tensor(rows.flatMap { $0 }, shape: [rows.count, set.featureDimension]).normalized()
  }

  static func resume(_ trainer: Trainer, from path: String) throws {
    let snapshot = try NetworkSnapshot(path: path)
    try snapshot.load(.average, into: trainer.average, matching: .byName)
    let full = snapshot.contains(.generator)
    try snapshot.load(full ? .generator : .average, into: trainer.generator, matching: .byName)
    if snapshot.contains(.discriminator) {
      try snapshot.load(.discriminator, into: trainer.discriminator, matching: .byName)
    }
  }
}
