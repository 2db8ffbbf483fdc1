import Foundation
import JSON
import TestSupport
import Testing

@testable import Studio

/// How soon a picture is there.
///
/// `NIFTY_STUDIO=http://127.0.0.1:7770` measures a server that runs already, as one of a release build; this
/// process's own is not optimized, and other tests run beside it.
@Suite(
  "The time from a click to a picture",
  .enabled(if: Browser.program != nil, "Debian's chromium is not installed"),
  .serialized,
  .timeLimit(.minutes(5))
)
struct LatencyTests {
  private static let server = ProcessInfo.processInfo.environment["NIFTY_STUDIO"]
  private static let clicks = 40

  /// Clicks on Paint, each time with words that were not painted before; the milliseconds until the first of
  /// four pictures is decoded.
  private static let measurement = """
    (async () => {
      const $ = (id) => document.getElementById(id);
      const shapes = ["heart", "star", "cat", "moon", "tree", "house", "fish", "face"];
      const colours = ["red", "yellow", "green", "blue", "white"];
      const times = [];
      for (let click = 0; click < \(clicks); click += 1) {
        $("prompt").value = `${colours[click % 5]} ${shapes[Math.floor(click / 5)]}`;
        const before = $("picture").src;
        const isShown = new Promise((resolve) => {
          const observer = new MutationObserver(() => {
            if ($("picture").src === before) return;
            observer.disconnect();
            resolve();
          });
          observer.observe($("picture"), { attributes: true, attributeFilter: ["src"] });
        });
        const start = performance.now();
        $("paint").click();
        await isShown;
        await $("picture").decode();
        const total = performance.now() - start;
        const answers = performance.getEntriesByType("resource").filter((one) => one.startTime >= start);
        times.push([total, Math.min(...answers.map((one) => one.responseEnd)) - start]);
        performance.clearResourceTimings();
        while (document.body.classList.contains("painting")) await new Promise((next) => setTimeout(next, 5));
      }
      return times;
    })()
    """

  /// Milliseconds until the first picture is decoded, and of these until it is answered, each in ascending order.
  private struct Times {
    var shown: [Double] = []
    var answered: [Double] = []
  }

  private func measure(_ address: String) async throws -> Times {
    let browser = try await Browser()
    try await browser.visit(address)
    try await browser.wait(for: "document.querySelectorAll('.chips button').length > 0")
    // The first request of a process finds nothing ready.
    _ = try await browser.value("document.querySelector('.chips button').click()")
    try await browser.wait(for: "document.querySelectorAll('.tile img').length === 4")
    try await browser.wait(for: "!document.body.classList.contains('painting')")
    guard case .list(let list) = try await browser.value(Self.measurement) else { return Times() }
    #expect(browser.complaints == [])
    let pairs = list.compactMap { item -> [Double]? in
      guard case .list(let pair) = item else { return nil }
      return pair.compactMap(\.double)
    }
    return Times(shown: pairs.map { $0[0] }.sorted(), answered: pairs.map { $0[1] }.sorted())
  }

  @Test func `the first picture of a click is there at once`() async throws {
    let times: Times
    // A release build on a machine that has two cores for it is held to what is promised.
    let limit: Double
    if let server = Self.server {
      (times, limit) = (try await measure(server), 150)
    } else {
      limit = 1000
      let measured = Recorded()
      try await serving(try await Emoji.routes()) { port in
        await measured.set(try await measure("http://127.0.0.1:\(port)/"))
      }
      times = await measured.times
    }
    try #require(times.shown.count == Self.clicks)
    let index = Self.clicks * 95 / 100 - 1
    let late = times.shown[index]
    print(
      String(
        format: "click to picture: median %.1f ms, 95 %% within %.1f; to the answer: %.1f, %.1f",
        times.shown[Self.clicks / 2],
        late,
        times.answered[Self.clicks / 2],
        times.answered[index]
      )
    )
    #expect(late < limit, "\(times.shown)")
  }

  private actor Recorded {
    private(set) var times = Times()
    func set(_ times: Times) { self.times = times }
  }
}
