import Testing

@testable import Training

/// The watchdog's judgement on numbers given by hand.
@Suite("Watchdog")
struct WatchdogTests {
  private func tick(
    _ values: [String: Double] = [:],
    real: Double = 0.8,
    fake: Double = -0.8,
    gap: Double = 2
  ) -> RunningStatistics {
    var statistics = RunningStatistics()
    statistics.report("Loss/signs/real", [real])
    statistics.report("Loss/signs/fake", [fake])
    statistics.report("Loss/scores/real", [gap / 2])
    statistics.report("Loss/scores/fake", [-gap / 2])
    for (name, value) in values { statistics.report(name, [value]) }
    return statistics
  }

  private func kinds(_ alarms: [Watchdog.Alarm]) -> [String] { alarms.map(\.kind) }

  @Test func `a discriminator that is sure for three ticks has won`() {
    var watchdog = Watchdog()
    let sure = tick(real: 1, fake: -1, gap: 40)
    #expect(watchdog.judge(sure, spread: 0.5, imagesSeen: 3) == [])
    #expect(watchdog.judge(sure, spread: 0.5, imagesSeen: 6) == [])
    #expect(watchdog.goodUntil == 0)
    #expect(watchdog.judge(tick(), spread: 0.5, imagesSeen: 9) == [])
    #expect(watchdog.goodUntil == 9)
    for _ in 0..<2 { #expect(watchdog.judge(sure, spread: 0.5, imagesSeen: 9) == []) }
    #expect(watchdog.isHealthy)
    #expect(watchdog.judge(sure, spread: 0.5, imagesSeen: 9) == [.saturated(ticks: 3, gap: 40)])
    #expect(!watchdog.isHealthy)
    // It lasts, but is said once; it ends, and may come again.
    #expect(watchdog.judge(sure, spread: 0.5, imagesSeen: 9) == [])
    #expect(watchdog.judge(tick(), spread: 0.5, imagesSeen: 9) == [] && watchdog.isHealthy)
  }

  @Test func `sure signs with scores close together are none`() {
    var watchdog = Watchdog()
    for _ in 0..<5 {
      #expect(watchdog.judge(tick(real: 1, fake: -1, gap: 3), spread: 0.5, imagesSeen: 9) == [])
    }
  }

  @Test func `a gradient penalty a hundred times the usual one is named`() {
    var watchdog = Watchdog()
    // Too few to know what is usual.
    #expect(watchdog.judge(tick(["Loss/r1_penalty": 1e3]), spread: nil, imagesSeen: 9) == [])
    for value in [0.1, 0.3, 0.2, 0.2] {
      #expect(watchdog.judge(tick(["Loss/r1_penalty": value]), spread: nil, imagesSeen: 9) == [])
    }
    #expect(watchdog.judge(tick(["Loss/r1_penalty": 19]), spread: nil, imagesSeen: 9) == [])
    #expect(watchdog.judge(tick(), spread: nil, imagesSeen: 9) == [])
    let alarms = watchdog.judge(tick(["Loss/r1_penalty": 31]), spread: nil, imagesSeen: 9)
    #expect(alarms == [.penaltyExploded(31, usual: 0.3)])
    #expect("\(alarms[0])" == "the gradient penalty R1 is 31, usually it was 0.3")
  }

  @Test func `pictures that no longer differ are named, dull beginnings are not`() {
    var watchdog = Watchdog()
    for spread in [0.01, 0.012, 0.2, 0.5, 0.06] {
      #expect(watchdog.judge(tick(), spread: spread, imagesSeen: 9) == [], "\(spread)")
    }
    #expect(
      watchdog.judge(tick(), spread: 0.04, imagesSeen: 9) == [.outputCollapsed(0.04, largest: 0.5)]
    )
  }

  @Test func `a score twice as bad as the best one is named, whichever way is better`() {
    var watchdog = Watchdog()
    #expect(watchdog.judge("fid", 50, best: nil, prefersLarge: false) == [])
    #expect(watchdog.judge("fid", 99, best: 50, prefersLarge: false) == [])
    #expect(
      watchdog.judge("fid", 101, best: 50, prefersLarge: false)
        == [.metricWorse("fid", 101, best: 50)]
    )
    // A tick between two snapshots does not end it; a better score does.
    #expect(watchdog.judge(tick(), spread: 0.5, imagesSeen: 9) == [] && !watchdog.isHealthy)
    #expect(watchdog.judge("fid", 60, best: 50, prefersLarge: false) == [] && watchdog.isHealthy)
    #expect(kinds(watchdog.judge("is", 0.9, best: 2, prefersLarge: true)) == ["metric"])
    #expect(kinds(watchdog.judge("is", .nan, best: 2, prefersLarge: true)) == [])
    #expect(!watchdog.isHealthy)
  }
}
