import Testing

@testable import Training

/// Phases in the time of a device that the host runs ahead of.
@Suite("Phase clock")
struct PhaseClockTests {
  /// A moment of a device of which nobody waits but who asks.
  private final class Moment: DeviceMoment {
    let time: Int64?
    init(_ time: Int64?) { self.time = time }
    func nanoseconds(since earlier: any DeviceMoment) -> Int64? {
      guard let time, let before = (earlier as? Moment)?.time else { return nil }
      return time - before
    }
  }

  @Test func `a phase lasts as long as the device needs, not the host`() {
    // The host enqueues at once; the device takes 5, 20 and 7 seconds.
    var times: [Int64?] = [100, 101, 106, 106, 126, 126, 133].map { $0 * 1_000_000_000 }
    let clock = PhaseClock { times.isEmpty ? nil : Moment(times.removeFirst()) }
    for name in ["a", "b"] { clock.measure(name) {} }
    let first = clock.takeSpans()
    #expect(first.map(\.name) == ["a", "b"])
    #expect(first.map(\.duration) == [5_000_000_000, 20_000_000_000])
    // A moment's distance to the last known one counts, whatever the host's clock says.
    #expect(first[1].start - first[0].start == 5_000_000_000)
    clock.measure("c") {}
    let second = clock.takeSpans()
    #expect(second.map(\.duration) == [7_000_000_000])
    #expect(second[0].start - first[1].start == 20_000_000_000)
    #expect(clock.takeSpans().isEmpty)
  }

  @Test func `phases inside of phases keep their places`() {
    var times: [Int64?] = [0, 10, 20, 50, 60]
    let clock = PhaseClock { Moment(times.removeFirst()) }
    clock.measure("outer") { clock.measure("inner") {} }
    let spans = clock.takeSpans()
    #expect(spans.map(\.name) == ["inner", "outer"] && spans.map(\.duration) == [30, 50])
    #expect(spans[0].start - spans[1].start == 10)
  }

  @Test func `a device that gives no time leaves the host's`() {
    let clock = PhaseClock { Moment(nil) }
    clock.measure("a") {}
    let plain = PhaseClock()
    plain.measure("a") {}
    for span in clock.takeSpans() + plain.takeSpans() {
      #expect(span.duration >= 0 && span.duration < 1_000_000_000)
    }
  }
}
