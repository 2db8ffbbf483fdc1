import Distributed
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Training

@Suite struct RunReportTests {
  private let folder: TemporaryFolder
  private let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = try RunFolder(in: folder.path, description: "x")
  }

  private func report(_ observe: @escaping (TrainingEvent) -> Void) -> RunReport {
    RunReport(run, metrics: [], profiles: false, hangDetector: HangDetector(), observe: observe)
  }

  @Test func `a line goes to the log and to the observer, one for the console to it alone`() throws
  {
    var lines: [String] = []
    let report = report { if case .line(let text) = $0 { lines.append(text) } }
    try report.log("in the log")
    report.reportToConsole("on the console")
    try report.flush()
    #expect(lines == ["in the log", "on the console"])
    let log = try String(contentsOfFile: run.file("log.txt"), encoding: .utf8)
    #expect(log.contains("in the log") && !log.contains("on the console"))
  }

  @Test func `a rollback is a line and an event with the images of the restored state`() throws {
    var rolledBack: [Int] = []
    let report = report {
      if case .rolledBack(let reason, let images) = $0 {
        #expect(reason == "a collapse with 0.5 times the learning rates")
        rolledBack.append(images)
      }
    }
    try report.log(rollback: "a collapse", 0.5, at: 2048)
    #expect(rolledBack == [2048])
  }

  @Test(arguments: [(3723.4, "1h 02m 03s"), (-1e300, "–"), (1e300, "–"), (.nan, "–")])
  func `a duration that nobody can mean is a dash`(seconds: Double, text: String) {
    #expect(duration(seconds) == text)
  }
}
