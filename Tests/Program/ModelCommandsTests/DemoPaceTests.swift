import Foundation
import TestSupport
import Testing

@testable import ModelCommands

@Suite("Pace of a demonstration")
struct DemoPaceTests {
  private func tick(_ seconds: String, _ phases: String...) -> String {
    let times = phases.map { "\"Timing/\($0)\": {\"num\": 1, \"mean\": 5.5, \"std\": 0.0}, " }
    return
      "{\(times.joined())\"Timing/sec_per_kimg\": {\"num\": 1, \"mean\": \(seconds), \"std\": 0.0}, "
      + "\"timestamp\": 1796130438.18}\n"
  }

  private func pace(_ lines: [String]) -> Double? {
    DemoPace(ofRunWith: Data(lines.joined().utf8))?.secondsPerKimg
  }

  @Test func `the last tick of the warm-up alone counts`() {
    let lines = [
      tick("19.5", "Gpaired"), tick("4.25", "Gpaired"), tick("3.5", "Gpaired"),
      tick("5.0", "Gpaired", "Gmain"), tick("7.5", "Gmain", "Dmain"),
    ]
    #expect(pace(lines) == 3.5)
    #expect(pace(Array(lines.prefix(2))) == 4.25)
  }

  @Test func `the first tick, other phases and lines that are no figures give none`() {
    #expect(pace([]) == nil && pace(["not JSON\n", "[1]\n", "{\n"]) == nil)
    #expect(pace([tick("19.5", "Gpaired"), tick("7.5", "Gmain")]) == nil)
    #expect(pace([tick("1", "Gpaired"), tick("0", "Gpaired")]) == nil)
    #expect(pace([tick("1", "Gpaired"), tick("\"NaN\"", "Gpaired")]) == nil)
  }

  @Test func `a warm-up takes its share of fine-tuning's time`() throws {
    let folder = try TemporaryFolder()
    let plan = DemoPlan(minutes: 15, seed: 0, paths: try DemoPaths(folder.file("demo")))
    #expect(plan.pretrain.contains("--paired-warmup=22.5") && plan.pretrain.contains("--tick=4"))
    let pace = try #require(
      DemoPace(ofRunWith: Data((tick("9", "Gpaired") + tick("3.5", "Gpaired")).utf8))
    )
    // 0.45 of 0.4 of 900 s by 3.5 s.
    #expect(plan.finetune(from: "x.pkl", pace: pace).contains("--paired-warmup=46"))
    #expect(!plan.finetune(from: "x.pkl", pace: nil).contains { $0.contains("warmup") })
    let short = DemoPlan(minutes: 0.5, seed: 0, paths: plan.paths)
    #expect(
      short.pretrain.contains("--tick=0.25") && short.pretrain.contains("--paired-warmup=0.75")
    )
    #expect(short.finetune(from: "x.pkl", pace: pace).contains("--paired-warmup=1"))
  }
}
