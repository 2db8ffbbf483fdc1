import ArgumentParser
import Datasets
import Networks
import Torch
import Training

/// Flags of the metrics that a run computes at every snapshot.
struct TrainMetricFlags: ParsableArguments {
  @Option(help: "Metrics at every snapshot, separated by commas: none or fd_lite0. (default: none)")
  var metrics: String?

  @Option(help: "Images generated for a metric. (default: 30000)")
  var metricImages: Int?

  @Option(
    name: .customLong("metric_only_test"),
    help: "Measure against the test data, not the training data. (default: 0)"
  )
  var measuresAgainstTest: Switch?

  private static let known = [FdLite0.name]

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
  let test = try PackedDataset(options.testData ?? options.data[0])
  // The whole of the data, unflipped, whatever part of it is trained on.
  let reference = try options.measuresAgainstTest ? TrainingSet([test]) : TrainingSet(set.datasets)
  let metric = try FdLite0(
    real: reference,
    conditions: TrainingSet([test]),
    images: options.metricImages ?? 30_000,
    device: device
  )
  return [
    SnapshotMetric(FdLite0.name) { generator, snapshot in
      try metric.line(generator, snapshot: snapshot)
    }
  ]
}
