import Foundation
import TestSupport
import Testing

@testable import Laion

/// What is told while a download runs.
@Suite struct ProgressTests {
  private func progress(_ pairs: Int) -> LaionProgress {
    LaionProgress(split: 0, rowsDone: pairs, pairs: pairs, target: pairs)
  }

  @Test func `reports are few, the last one of a split is never lost, and others are not made`() {
    let seen = Reports()
    let reporter = ProgressReporter(interval: .seconds(60)) { seen.append($0) }
    var made = 0
    func make(_ pairs: Int) -> LaionProgress {
      made += 1
      return progress(pairs)
    }
    for pairs in 0..<100 { reporter.note(make(pairs)) }
    #expect(made == 1)
    reporter.end(progress(100))
    #expect(seen.all.map(\.pairs) == [0, 100])
  }

  @Test func `a retry pass counts its requests and reports at the usual pace`() async throws {
    try await RetriedRows.withFinishedSplit { configuration, _ in
      let seen = Reports()
      let start = ContinuousClock.now
      let report = try await LaionDownload(configuration).run { seen.append($0) }
      let halves = Int(start.duration(to: .now) / .milliseconds(500))
      #expect(seen.all.count <= halves + 2)
      let first = try #require(seen.all.first)
      // What is asked for may all become pairs, as far as is known then.
      #expect(first.target > first.pairs)
      #expect(first.target <= RetriedRows.count)
      let last = try #require(seen.all.last)
      #expect(last.pairs == report.pairs && last.target == report.pairs)
    }
  }

  @Test func `the time left of a text file is unknown, and its end is told`() async throws {
    let part = MetadataPart(number: 0, path: "list.csv")
    var tally = Tally(part: part, target: .max, rowCount: nil, done: .init())
    let image = StoredImage(width: 1, height: 1, bytes: 1, sha256: "")
    tally.add(.init(row: 0, number: 0, outcome: .success(image)))
    #expect(tally.progress().secondsLeft == nil)
    #expect(tally.progress().target == .max)
    #expect(tally.progress(isLast: true).target == 1)
    // A file that tells its rows bounds both.
    var counted = Tally(part: part, target: .max, rowCount: 3, done: .init())
    counted.add(.init(row: 0, number: 0, outcome: .success(image)))
    #expect(counted.progress().target == 3)
    #expect(counted.progress().secondsLeft != nil)
  }
}
