import Evaluation
import TestSupport
import Testing

@testable import ModelCommands

@Suite struct MetricReportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ values: [Double], of run: String, then line: String = "") throws {
    let lines = values.enumerated().map { index, value in
      #"{"results": {"fid": \#(value)}, "metric": "fid", "snapshot_pkl": "#
        + #""network-snapshot-00000\#(index).pkl"}"#
    }
    let text = (lines + [line]).joined(separator: "\n") + "\n"
    try folder.write(Array(text.utf8), to: "\(run)/metric-fid.jsonl")
  }

  @Test func `it says where each run was best, and whether it still improves`() throws {
    try write([30, 20, 25], of: "a")
    try write([9, 8, 7], of: "b")
    let report = try MetricReport(runs: [folder.file("a"), folder.file("b")], names: [])
    let text = report.text(patience: 1)
    #expect(text.contains("a: best 20.00 at 1 kimg (network-snapshot-000001.pkl); converged"))
    #expect(text.contains("b: best 7.000 at 2 kimg (network-snapshot-000002.pkl); not converged"))
  }

  @Test func `a line that is no score is counted, and the others are shown`() throws {
    try write([3], of: "a", then: "{")
    let text = try MetricReport(runs: [folder.file("a")], names: []).text(patience: 5)
    #expect(text.contains("a: best 3.000 at 0 kimg"))
    #expect(text.contains("metric-fid.jsonl: left out 1 unreadable line"))
  }

  @Test func `a run without the metric is an error that names it`() throws {
    try write([3], of: "a")
    let error = #expect(throws: EvaluationError.self) {
      try MetricReport(runs: [folder.file("a")], names: ["is"])
    }
    #expect(error.map { "\($0)" }?.contains("has no metric lines of is") == true)
  }
}
