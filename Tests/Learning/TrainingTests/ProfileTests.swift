import Foundation
import Testing
import Torch

@testable import Training

@Suite("Profile", .serialized)
struct ProfileTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      var name: String
      var cat: String?
      var ph: String
      var tid: Int
      var ts: Double?
      var dur: Double?
    }
    var traceEvents: [Event]
  }

  @Test func `a trace holds every phase of the first steps, and operators inside of them`() throws {
    let tiny = try TinyRun()
    let run = try tiny.session(profiles: true)
    _ = try run.run()
    let data = try Data(contentsOf: URL(filePath: run.folder.file("profile000000.json")))
    let trace = try JSONDecoder().decode(Trace.self, from: data)
    let phases = trace.traceEvents.filter { $0.cat == "phase" }
    let count = { (name: String) in phases.count { $0.name == name } }
    #expect(count("Gmain") == 17 && count("Dmain") == 17 && count("data") == 17)
    #expect(count("Greg") == 5 && count("Dreg") == 2)
    let penalty = try #require(phases.first { $0.name == "Dreg" })
    let (start, end) = (penalty.ts ?? 0, (penalty.ts ?? 0) + (penalty.dur ?? 0))
    #expect(end > start)
    let inside = trace.traceEvents.filter {
      $0.cat == "operator" && ($0.ts ?? 0) >= start && ($0.ts ?? 0) + ($0.dur ?? 0) <= end
    }
    #expect(inside.contains { $0.name == "aten::convolution" })
    #expect(inside.contains { $0.name == "aten::_fused_adam_" })
    #expect(inside.allSatisfy { $0.tid >= 1 } && penalty.tid == 0)
    #expect(trace.traceEvents.contains { $0.ph == "M" && $0.name == "thread_name" })
  }

  @Test func `a trace that cannot be written does not end the run`() throws {
    let tiny = try TinyRun()
    let run = try tiny.session(profiles: true)
    try FileManager.default.createDirectory(
      atPath: run.folder.file("profile000000.json/in/the/way"),
      withIntermediateDirectories: true
    )
    #expect(try run.run() == .finished)
    let log = try String(contentsOfFile: run.folder.file("log.txt"), encoding: .utf8)
    #expect(log.contains("(training goes on without this trace)"), "\(log)")
  }

  @Test func `phase times are in the statistics under the original's names`() throws {
    let tiny = try TinyRun(kimg: 0.068)
    let folder = try tiny.run(stoppingAfter: [])
    let first = try #require(
      String(contentsOfFile: folder + "/stats.jsonl", encoding: .utf8)
        .split(separator: "\n").first
    )
    let object = try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any] ?? [:]
    for name in ["Gmain", "Greg", "Dmain", "Dreg", "data", "average"] {
      let entry = try #require(object["Timing/\(name)"] as? [String: Double], "\(name)")
      #expect(entry["num"] == 1)
      #expect((entry["mean"] ?? 0) > 0)
    }
    #expect((object["Resources/peak_gpu_mem_gb"] as? [String: Double])?["num"] == 1)
  }

  @Test func `a trace is begun once and ended once`() throws {
    try OperatorTrace.begin()
    #expect(throws: TorchError.self) { try OperatorTrace.begin() }
    _ = Tensor.ones([2]) + 1
    let calls = try OperatorTrace.end()
    let add = try #require(calls.first { $0.name == "aten::add" })
    #expect(add.duration >= 0)
    #expect(throws: TorchError.self) { _ = try OperatorTrace.end() }
  }
}
