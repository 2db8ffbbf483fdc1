import Foundation
import TestSupport
import Testing

@testable import Evaluation

/// Damaged files of scores, which a report reads from any run folder.
@Suite("Damaged scores")
struct MetricLineFuzzTests {
  @Test func `scores that were changed anywhere never end the process`() throws {
    let folder = try TemporaryFolder()
    let line = """
      {"results": {"fid50k_full": 12.5}, "metric": "fid50k_full", "total_time": 3.5, \
      "num_gpus": 1, "snapshot_pkl": "network-snapshot-000012.pkl", "timestamp": 1700000000.5, \
      "protocol": {"rules": "a", "seed": 0}}\n
      """
    let other = line.replacing("000012", with: "000024").replacing("12.5", with: "1e308")
    let alphabet = Array("0123456789-+.eE\"[]{},:NaInfty \n".utf8)
    let path = folder.file("metric-fid50k_full.jsonl")
    let report = DamagedInputs([Array((line + other).utf8)], alphabet: alphabet).read(4000) {
      try folder.write($0, to: "metric-fid50k_full.jsonl")
      for history in try MetricHistory.read(path).histories {
        _ = (history.best, history.snapshotsSinceBest, history.hasConverged(patience: 1))
        _ = history.prefersLarge
      }
    }
    #expect(report.slowest < .seconds(2), "input \(report.slowestInput)")
  }

  @Test(arguments: ["5", "\"x\"", "null", "true", "[1]"])
  func `a protocol that is no object leaves the score`(measurement: String) throws {
    let folder = try TemporaryFolder()
    let line =
      #"{"results": {"is50k": 2}, "snapshot_pkl": "network-snapshot-000001.pkl", "protocol": "#
      + measurement + "}\n7\n[]\n\"x\"\n"
    try folder.write(Array(line.utf8), to: "metric-is50k.jsonl")
    let (histories, unreadable) = try MetricHistory.read(folder.file("metric-is50k.jsonl"))
    #expect(histories.map(\.name) == ["is50k"] && histories[0].entries[0].value == 2)
    #expect(unreadable == 3)
  }
}
