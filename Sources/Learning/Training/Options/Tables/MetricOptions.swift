import Text

// Options of the metrics that a run computes at every snapshot.
extension TrainingOption {
  package static let metricOptions = [metrics, metricImages, measuresAgainstTest]

  /// The metric of every snapshot where its detector is there.
  package static let standardMetric = "fid50k_full"

  package static let metrics = TrainingOption(
    "metrics",
    """
    Metrics at every snapshot, separated by commas, or none; nifty metrics --help lists them.
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
    in: .between(1, 1e9, "images"),
    default: .words("LAFITE's, 30000 or 6000"),
    ours: true
  )
  package static let measuresAgainstTest = TrainingOption(
    "metric_only_test",
    "Measure against the test data, not the training data.",
    \.measuresAgainstTest,
    key: "metric_only_test"
  )
}
