import Evaluation
import Foundation
import TestSupport
import Testing

@Suite("Metric history")
struct MetricHistoryTests {
  private func history(_ name: String, _ values: [Double]) -> MetricHistory {
    MetricHistory(
      name: name,
      entries: values.enumerated().map {
        .init(kimg: $0 * 200, value: $1, snapshot: "network-snapshot-\($0).pkl")
      }
    )
  }

  @Test func `the best is the smallest distance, and the largest share`() {
    let distance = history("fid50k_full", [300, 20, 12.5, 14, 12.5, .nan])
    #expect(distance.best?.kimg == 400 && distance.snapshotsSinceBest == 2)
    #expect(distance.hasConverged(patience: 2) && !distance.hasConverged(patience: 3))
    for name in ["is50k_mean", "pr50k3_full_recall", "clip_score", "r_precision"] {
      #expect(history(name, [1, 3, 2]).best?.value == 3, "\(name)")
    }
    #expect(history("ppl2_wend", [1, 3, 2]).best?.value == 1)
    #expect(history("fid50k", []).best == nil && !history("fid50k", []).hasConverged(patience: 1))
    #expect(history("fid50k", [.nan]).best == nil)
  }

  @Test func `lines of original and of nifty are read, broken ones counted`() throws {
    let folder = try TemporaryFolder()
    let lines = [
      #"{"results": {"fid50k_full": 30.5}, "metric": "fid50k_full", "snapshot_pkl": "network-snapshot-000400.pkl"}"#,
      #"{"results": {"fid50k_full": 99.0}, "metric": "fid50k_full", "snapshot_pkl": "network-snapshot-000200.pkl"}"#,
      #"{"results": {"fid50k_full": 60.0}, "snapshot_pkl": "network-snapshot-000200.safetensors", "protocol": {"seed": 0}}"#,
      #"{"results": {"fid50k_full": null}, "snapshot_pkl": "network-snapshot-000600.pkl"}"#,
      #"{"results": {"fid50k_full": 1"#, "", #"{"results": {"fid50k_full": 1}}"#, "[]",
    ]
    try folder.write(Array(lines.joined(separator: "\n").utf8), to: "metric-fid50k_full.jsonl")
    let found = try MetricHistory.read(folder.file("metric-fid50k_full.jsonl"))
    #expect(found.unreadable == 3 && found.histories.count == 1)
    let history = try #require(found.histories.first)
    #expect(history.entries.map(\.kimg) == [200, 400, 600])
    #expect(history.entries[0].value == 60 && history.entries[2].value.isNaN)
    #expect(history.best?.value == 30.5)
    #expect(history.protocols == [#"{"seed":0}"#])
    #expect(throws: (any Error).self) { try MetricHistory.read("/nowhere/metric.jsonl") }
  }
}
