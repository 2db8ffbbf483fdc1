import Foundation
import TestSupport
import Testing

@Suite("nifty runs")
struct RunsCommandTests {
  /// A folder with a run of 3 of 8 kimg, and one that is damaged.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let line =
      #"{"Progress/tick": {"num": 1, "mean": 3.0, "std": 0.0}, "Progress/kimg": {"num": 1, "#
      + #""mean": 3.0, "std": 0.0}, "timestamp": 1.0}"#
    try folder.write(Array((line + "\n").utf8), to: "00000-a/stats.jsonl")
    try folder.write(Array(#"{"total_kimg": 8.0}"#.utf8), to: "00000-a/training_options.json")
    let best = #"{"metric": "fid", "value": 12.5, "snapshot": "s.pkl", "images_seen": 3000}"#
    try folder.write(Array(best.utf8), to: "00000-a/best.json")
    try folder.write(Array("{".utf8), to: "00001-b/stats.jsonl")
    return folder
  }

  @Test func `a table has a row a run, and a line about each damaged one`() throws {
    let folder = try folder()
    let lines = try nifty(["runs", folder.path]).output.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines.first == "run      state    kimg       best      left")
    #expect(lines.contains("00000-a  stopped  3.00/8.00  fid 12.5  –"))
    #expect(lines.last?.contains("00001-b/stats.jsonl") == true)
  }

  @Test func `programs get JSON`() throws {
    let folder = try folder()
    let output = try nifty(["runs", folder.path, "--json"]).output
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    let runs = try #require(object?["runs"] as? [[String: Any]])
    #expect(Set(runs.compactMap { $0["state"] as? String }) == ["stopped", "damaged"])
    #expect(runs.contains { $0["kimg"] as? Double == 3 })
  }

  @Test func `downloads and packings have a table of their own`() throws {
    let folder = try folder()
    try folder.write([], to: "laion/split0/.ledger")
    let statistics = #"{"pairs": 90, "failures": {"a": 5}, "filtered": {}}"#
    try folder.write(Array(statistics.utf8), to: "laion/split0/stats.json")
    let progress = #"{"done": 30, "total": 100, "images": 28, "leftOut": 2, "rate": 2.5}"#
    try folder.write([], to: ".coco.zip.packing/journal")
    try folder.write(Array(progress.utf8), to: ".coco.zip.packing/.progress.json")
    let output = try nifty(["runs", folder.path]).output
    #expect(
      output.hasSuffix(
        """

        data          by     state     done    left out  rate  left
        coco.zip      pack   stopped   30/100  2         –     –
        laion/split0  laion  finished  90/90   5         –     –

        """
      ),
      "\(output)"
    )
    let json = try nifty(["runs", folder.path, "--json"]).output
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    let works = try #require(object?["works"] as? [[String: Any]])
    #expect(works.compactMap { $0["state"] as? String } == ["stopped", "finished"])
  }

  @Test func `an empty folder says so`() throws {
    let folder = try TemporaryFolder()
    #expect(try nifty(["runs", folder.path]).output == "\(folder.path) holds no runs\n")
  }
}
