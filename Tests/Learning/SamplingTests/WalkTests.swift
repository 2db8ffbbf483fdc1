import Testing

@testable import Sampling

@Suite("Walks")
struct WalkTests {
  @Test func `a loop passes every stop once and ends a step before its start`() {
    let walk = Walk(stops: 3, framesOfLeg: 4, isLoop: true)
    #expect(walk.frames.count == 12)
    #expect(walk.frames.filter { $0.share == 0 }.map(\.from) == [0, 1, 2])
    #expect(walk.frames.first == .init(from: 0, to: 1, share: 0))
    #expect(walk.frames.last == .init(from: 2, to: 0, share: 0.75))
  }

  @Test func `a way without return ends on its last stop`() {
    let walk = Walk(stops: 2, framesOfLeg: 2, isLoop: false)
    #expect(
      walk.frames == [
        .init(from: 0, to: 1, share: 0), .init(from: 0, to: 1, share: 0.5),
        .init(from: 0, to: 1, share: 1),
      ]
    )
  }
}
