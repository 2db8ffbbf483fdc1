import Foundation
import Testing

@testable import Laion

@Suite struct LaionReportTests {
  private func split(_ number: Int, pairs: Int) -> SplitStatistics {
    SplitStatistics(
      split: number,
      part: "part-0000\(number).parquet",
      target: 10,
      pairs: pairs,
      isExhausted: false,
      rowsRead: 20,
      rowsInPart: 30,
      bytesDownloaded: 4000,
      filtered: ["short caption": 3],
      failures: ["status 404": 2],
      recodedCaptions: 0,
      seconds: 1.5
    )
  }

  @Test func `its pairs are those of all splits, not only of this run's`() {
    var report = LaionReport(splits: [split(0, pairs: 7), split(2, pairs: 5)], skipped: [0])
    report.added = 5
    #expect(report.pairs == 12)
    #expect(LaionReport(splits: [], skipped: []).pairs == 0)
  }

  @Test func `a program reads it back as it was`() throws {
    var report = LaionReport(splits: [split(3, pairs: 1)], skipped: [1, 2])
    report.notes = ["a note"]
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(LaionReport.self, from: data) == report)
  }
}
