import ArgumentParser
import CommandLine
import Datasets
import Distributed
import Evaluation
import Networks
import Torch
import Training

/// Flags of the metrics that a run computes of its snapshots.
struct TrainMetricFlags: ParsableArguments {
  @Option(.metrics) var metrics: String?
  @Option(.metricImages) var metricImages: Int?
  @Option(.metricsEvery) var metricsEvery: Int?
  @Option(.scoresStart) var scoresStart: Switch?
  @Option(.measuresAgainstTest) var measuresAgainstTest: Switch?

  /// A run knows only the CLIP that it trains with, which is no judge, and no other networks of the user's.
  private static let known = MetricDefinition.all.filter(\.detector.isKnownToRuns).map(\.name)

  private var names: [String]? {
    // The original takes "None" in any case, and nothing at all, for none.
    metrics.map {
      ["none", ""].contains($0.lowercased()) ? [] : $0.split(separator: ",").map(String.init)
    }
  }

  func validate() throws {
    if let unknown = names?.first(where: { !Self.known.contains($0) }) {
      let allowed = (["none"] + Self.known).joined(separator: ", ")
      throw ValidationError("--metrics must be of \(allowed), not \(unknown)")
    }
  }

  /// The given values.
  var given: [TrainingArguments.Given] {
    [
      .init(.metrics, names), .init(.metricImages, metricImages),
      .init(.metricsEvery, metricsEvery), .init(.scoresStart, scoresStart?.isOn),
      .init(.measuresAgainstTest, measuresAgainstTest?.isOn),
    ]
  }
}

/// The metrics of a run, ready to score snapshots.
///
/// - Parameter inputs: The run.
/// - Returns: The metrics; `nil` for a run without.
/// - Throws: Where a dataset cannot be opened or a detector is missing.
func metricSuite(_ inputs: StepInputs) throws -> MetricSuite? {
  let (options, device, ranks) = (inputs.options, inputs.device, inputs.ranks)
  if options.metrics.isEmpty { return nil }
  var plan = MetricPlan()
  plan.images = options.metricImages
  plan.mirror = options.mirror
  plan.comparesWithTest = options.measuresAgainstTest
  plan.device = device
  plan.cache = MetricSources.standardCache
  if ranks.isShared { plan.ranks = ranks.passRanks }
  let sources = MetricSources.standard(clip: options.clip, device: device)
  let suite = try MetricSuite(
    options.metrics,
    plan: plan,
    training: inputs.data.datasets,
    conditions: TrainingSet([PackedDataset(options.testData ?? options.data[0])]),
    sources: ranks.rank == 0 ? sources : sources.silent
  )
  // A missing detector is reported now, not at the first snapshot.
  for definition in suite.definitions { _ = try suite.detector(definition.detector) }
  return suite
}

/// The metrics of a run's snapshots.
///
/// - Parameter suite: The metrics, if there are any.
/// - Returns: One a name.
func snapshotMetrics(_ suite: MetricSuite?) -> [SnapshotMetric] {
  guard let suite else { return [] }
  return suite.definitions.map(\.name).map { name in
    SnapshotMetric(name) { generator, snapshot in
      let line = try suite.line(name, of: generator, snapshot: snapshot)
      let (result, value) = line.results.first ?? (name, .nan)
      let prefersLarge = MetricHistory(name: result, entries: []).prefersLarge
      return SnapshotMetric.Score(line: line.json, value: value, prefersLarge: prefersLarge)
    }
  }
}

extension Ranks {
  /// These ranks, as metrics know them.
  fileprivate var passRanks: PassRanks {
    PassRanks(
      rank: rank,
      count: count,
      together: { [self] job, pass in
        if rank > 0 { try pass() } else { try withOthers(job.number, pass) }
      },
      gathered: { [self] features in
        let all = gatheredInOrder(features)
        try check()
        return all
      }
    )
  }
}
