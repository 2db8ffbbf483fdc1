import ArgumentParser
import Datasets
import Evaluation
import Networks
import Torch
import Training

/// Flags of the metrics that a run computes at every snapshot.
struct TrainMetricFlags: ParsableArguments {
  @Option(
    help: """
      Metrics at every snapshot, separated by commas, or none; nifty metrics --help lists them. \
      (default: fid50k_full where Inception was fetched, else none)
      """
  )
  var metrics: String?

  @Option(help: "Images generated for a metric. (default: LAFITE's, 30000 or 6000)")
  var metricImages: Int?

  @Option(
    name: .customLong("metric_only_test"),
    help: "Measure against the test data, not the training data. (default: 0)"
  )
  var measuresAgainstTest: Switch?

  private static let known = MetricDefinition.all.map(\.name)

  private var names: [String]? {
    metrics.map { $0 == "none" ? [] : $0.split(separator: ",").map(String.init) }
  }

  func validate() throws {
    if let unknown = names?.first(where: { !Self.known.contains($0) }) {
      let allowed = (["none"] + Self.known).joined(separator: ", ")
      throw ValidationError("--metrics must be of \(allowed), not \(unknown)")
    }
  }

  /// Puts what was given into the options.
  func apply(to options: inout TrainingOptions) {
    options.set(\.metrics, names)
    options.set(\.metricImages, metricImages.map(Optional.some))
    options.set(\.measuresAgainstTest, measuresAgainstTest?.isOn)
  }
}

/// The metrics of a run, ready to score snapshots.
///
/// - Parameters:
///   - options: The run's options.
///   - set: The training data.
///   - device: Where to compute.
/// - Returns: One a name.
/// - Throws: Where a dataset cannot be opened or a detector is missing.
func snapshotMetrics(
  _ options: TrainingOptions,
  _ set: TrainingSet,
  _ device: Device
) throws -> [SnapshotMetric] {
  if options.metrics.isEmpty { return [] }
  var plan = MetricPlan()
  plan.images = options.metricImages
  plan.mirror = options.mirror
  plan.comparesWithTest = options.measuresAgainstTest
  plan.device = device
  plan.cache = MetricSources.standardCache
  let suite = try MetricSuite(
    options.metrics,
    plan: plan,
    training: set.datasets,
    conditions: TrainingSet([PackedDataset(options.testData ?? options.data[0])]),
    sources: .standard(judge: options.clip, device: device)
  )
  // A missing detector is told now, not at the first snapshot.
  for definition in suite.definitions { _ = try suite.detector(definition.detector) }
  return options.metrics.map { name in
    SnapshotMetric(name) { generator, snapshot in
      let line = try suite.line(name, of: generator, snapshot: snapshot)
      let (result, value) = line.results.first ?? (name, .nan)
      let prefersLarge = MetricHistory(name: result, entries: []).prefersLarge
      return SnapshotMetric.Score(line: line.json, value: value, prefersLarge: prefersLarge)
    }
  }
}
