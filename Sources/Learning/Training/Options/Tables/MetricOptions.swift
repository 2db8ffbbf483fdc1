import Text

// Options of the metrics that a run computes of its snapshots.
extension TrainingOption {
  package static let metricOptions = [
    metrics, metricImages, metricsEvery, scoresStart, measuresAgainstTest,
  ]

  /// The metric of every snapshot where its detector is there.
  package static let standardMetric = "fid50k_full"

  package static let metrics = TrainingOption(
    "metrics",
    """
    Metrics of the snapshots, separated by commas, or none; nifty metrics --help lists them.
    """,
    \.metrics,
    key: "metrics",
    default: .words("\(standardMetric) where Inception was fetched, else none")
  )
  package static let metricImages = TrainingOption(
    "metric-images",
    "Images generated for a metric.",
    \.metricImages,
    key: "nifty.metric_images",
    in: .between(2, 1e9, "images"),
    default: .words("LAFITE's, 30000 or 6000"),
    ours: true
  )
  package static let metricsEvery = TrainingOption(
    "metrics-every",
    "Compute metrics at every so many snapshots, and at the last one.",
    \.metricsEvery,
    key: "nifty.metrics_every",
    in: .between(1, 1e9, "snapshots"),
    continuing: .mayChange,
    ours: true
  )
  package static let scoresStart = TrainingOption(
    "metrics-at-start",
    "Compute metrics at the first snapshot, after one step, too.",
    \.scoresStart,
    key: "nifty.metrics_at_start",
    continuing: .mayChange,
    ours: true,
    guide: "1: metrics at the first snapshot, after one step, too, as the original computes them"
  )
  package static let measuresAgainstTest = TrainingOption(
    "metric_only_test",
    "Measure against the test data, not the training data.",
    \.measuresAgainstTest,
    key: "metric_only_test"
  )
}
