import Archives
import Datasets
import Foundation
import Images
import Networks
import Snapshots
import TestSupport
import Testing
import Torch

@testable import Training

/// A training run of a few seconds with everything in it that a checkpoint must not forget: adaptive
/// augmentation, lazy regularisers, style mixing, mirrored images, a metric.
struct TinyRun {
  let folder: TemporaryFolder
  var options: TrainingOptions

  static let imageCount = 13

  init(kimg: Double = 0.084) throws {
    folder = try TemporaryFolder()
    try Self.pack(folder.file("data.zip"))
    var trainer = tinyTrainer(seed: 5)
    trainer.losses.mixingProb = 0.5
    if let transforms = AugmentConfiguration(named: "bgc") {
      var augmentation = AugmentationOptions(transforms, probability: 0.1, target: 0.6)
      // p moves by 0.16 every four steps: a forgotten sign would show.
      augmentation.adaptationKimg = 0.1
      trainer.augmentation = augmentation
    }
    options = TrainingOptions(trainer: trainer)
    options.data = [folder.file("data.zip")]
    options.imageCount = Self.imageCount
    options.mirror = true
    options.outdir = folder.file("runs")
    options.kimg = kimg
    options.tickKimg = 0.028
    options.imageSnapshotTicks = 2
    options.networkSnapshotTicks = 2
    options.scoresStart = true
    options.snapshotFormat = .safetensors
    options.checkpointSeconds = 0.05
  }

  static func pack(
    _ path: String,
    captions: String = "caption",
    side: Int = 16,
    width: Int = tinyFeatureDimension,
    maker: String? = "00",
    label: (Int) -> ImageLabel? = { _ in nil }
  ) throws {
    let random = SeededRandom(seed: 1)
    let writer = try PackedDatasetWriter(
      path,
      options: .init(
        resolution: side,
        featureModel: maker.map { .init(name: "none", sha256: $0) },
        featureElement: .float32,
        source: "noise",
        writesLafiteJSON: false
      )
    )
    for index in 0..<imageCount {
      let pixels = (random.uniform([side * side * 3]) * 255).to(.uint8).values(UInt8.self)
      let texts = (0..<1 + index % 3).map { "\(captions) \($0)" }
      try writer.append(
        PackedRecord(
          image: RGBImage(width: side, height: side, pixels: pixels).encodedPNG(level: 0),
          imageFeature: random.normal([width]).floats,
          captions: texts,
          textFeatures: texts.map { _ in random.normal([width]).floats },
          label: label(index)
        )
      )
    }
    try writer.finish()
  }

  /// A session: a new run, or one more of a run's folder.
  func session(
    continuing continued: String? = nil,
    files: [FileIdentity] = [],
    profiles: Bool = false,
    stop: StopRequest = StopRequest(),
    metrics: [SnapshotMetric] = [Self.brightness],
    observe: @escaping (TrainingEvent) -> Void = { _ in },
    encodeImage: ((Tensor) -> Tensor)? = nil
  ) throws -> TrainingRun {
    let set = try TrainingSet(
      options.data.map { try PackedDataset($0) },
      options: .init(mirror: options.mirror, seed: UInt32(options.trainer.seed))
    )
    return try TrainingRun(
      StepInputs(
        options: options,
        data: set,
        clip: ImageTower(side: 16, encode: encodeImage ?? tinyEncoder()),
        files: files,
        device: .cpu
      ),
      gridFeatures: nil,
      metrics: metrics,
      notes: [:],
      continued: continued,
      profiles: profiles,
      stop: stop,
      observe: observe
    )
  }

  /// Runs sessions until one is finished; session k is asked to stop after `steps[k]` of its steps.
  ///
  /// - Returns: The run's folder.
  func run(
    stoppingAfter steps: [Int],
    continuing: String? = nil,
    finishing: Bool = true
  ) throws -> String {
    var folder = continuing
    for count in steps + (finishing ? [.max] : []) {
      let stop = StopRequest()
      var done = 0
      let run = try session(continuing: folder, stop: stop) { event in
        guard case .progress = event else { return }
        done += 1
        if done == count { stop.request() }
      }
      let ending = try run.run()
      #expect(ending == (count == .max ? .finished : .interrupted))
      folder = run.folder.path
    }
    return try #require(folder)
  }

  /// What a run left.
  func record(_ folder: String) throws -> RunRecord { try RunRecord(folder) }

  /// A metric that depends on every weight of the averaged generator.
  static var brightness: SnapshotMetric {
    SnapshotMetric("brightness") { generator, snapshot in
      let random = SeededRandom(seed: 2)
      let images = generator(
        random.normal([4, generator.configuration.zDimension]),
        fts: random.normal([4, tinyFeatureDimension]),
        noiseMode: .constant
      )
      let value = images.mean().item
      return .init(
        line: "{\"results\": {\"brightness\": \(value)}, \"snapshot_pkl\": \"\(snapshot)\"}",
        value: value,
        prefersLarge: true
      )
    }
  }
}

/// What two runs must have in common to be the same run.
struct RunRecord: Equatable {
  /// Names of the tensors of the last checkpoint that differ between two runs show here.
  var tensors: [String: [UInt8]]
  /// `stats.jsonl` without times.
  var statistics: [[String: [String: Double]]]
  /// Lines of the metric.
  var metric: [String]
  /// The tensors of every snapshot, and the bytes of every grid.
  var files: [String: [UInt8]]
  /// What follows from the state beside times.
  var progress: TrainerCounters
  var best: BestSnapshot?

  init(_ folder: String) throws {
    let checkpoint = try #require(
      try CheckpointFolder(folder + "/checkpoint").newest(onDamage: { Issue.record("\($0)") })
    )
    tensors = checkpoint.tensors.all().mapValues(\.bytes)
    progress = checkpoint.state.trainer
    best = checkpoint.state.best
    statistics = try Self.lines(folder + "/stats.jsonl").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      return object.compactMapValues { $0 as? [String: Double] }
        .filter { !$0.key.hasPrefix("Timing/") && !$0.key.hasPrefix("Resources/") }
    }
    metric = try Self.lines(folder + "/metric-brightness.jsonl")
    files = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      if name.hasSuffix(".png") {
        files[name] = Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
      } else if name.hasPrefix("network-snapshot-") {
        for (tensor, value) in try SafeTensors(path: "\(folder)/\(name)").all() {
          files["\(name) \(tensor)"] = value.bytes
        }
      }
    }
  }

  /// What a run that was left alone gave, computed once.
  static let undisturbed = Result {
    let tiny = try TinyRun()
    return try tiny.record(tiny.run(stoppingAfter: []))
  }

  /// Fails the test by name where another run differs.
  func expectEqual(
    _ other: RunRecord,
    _ label: String,
    at location: SourceLocation = #_sourceLocation
  ) {
    let names = tensors.keys.filter { tensors[$0] != other.tensors[$0] }.sorted()
    #expect(names.isEmpty, "\(label): tensors \(names)", sourceLocation: location)
    #expect(statistics == other.statistics, "\(label)", sourceLocation: location)
    #expect(metric == other.metric, "\(label)", sourceLocation: location)
    let changed = files.keys.filter { files[$0] != other.files[$0] }.sorted()
    #expect(changed.isEmpty, "\(label): files \(changed)", sourceLocation: location)
    #expect(Set(files.keys) == Set(other.files.keys), "\(label)", sourceLocation: location)
    #expect(progress == other.progress && best == other.best, "\(label)", sourceLocation: location)
  }

  private static func lines(_ path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }
}
