import TestSupport
import Testing

@testable import Laion

@Suite("Windows of rows")
struct RowWindowTests {
  /// The next row and its value.
  private func take(_ window: inout RowWindow<some Any>) -> String? {
    window.take().map { "\($0.row) \($0.value)" }
  }

  @Test func `rows finish in any order and are taken in row order`() {
    var window = RowWindow<String>()
    for row in [3, 5, 9] { window.begin(row) }
    #expect(window.count == 3 && window.unfinished == 3)
    #expect(take(&window) == nil, "none is finished")
    window.finish(9, "nine")
    window.finish(5, "five")
    #expect(take(&window) == nil, "row 3 holds back the others")
    #expect(window.count == 3 && window.unfinished == 1)
    window.finish(3, "three")
    var taken: [String] = []
    while let (row, value) = window.take() { taken.append("\(row) \(value)") }
    #expect(taken == ["3 three", "5 five", "9 nine"])
    #expect(window.count == 0 && window.unfinished == 0)
  }

  @Test func `a row may begin while earlier ones are held back, and after all were taken`() {
    var window = RowWindow<Int>()
    window.begin(0)
    window.begin(1)
    window.finish(1, 10)
    window.begin(2)
    window.finish(0, 0)
    #expect(take(&window) == "0 0")
    #expect(take(&window) == "1 10")
    #expect(take(&window) == nil)
    #expect(window.count == 1 && window.unfinished == 1)
    window.finish(2, 20)
    #expect(take(&window) == "2 20")
    window.begin(7)
    window.finish(7, 70)
    #expect(take(&window) == "7 70")
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `no row is lost or doubled in a long run, whatever the order`(
    seed: UInt64
  ) {
    var random = SeededGenerator(state: seed)
    var window = RowWindow<Int>()
    var (next, underWay, taken) = (0, [Int](), [Int]())
    // Far more rows than the window ever keeps: the space of taken ones is given back on the way.
    while taken.count < 20_000 {
      if window.count < 300, next < 60_000 {
        next += Int.random(in: 1...3, using: &random)
        window.begin(next)
        underWay.append(next)
      }
      if window.count >= 300 || Bool.random(using: &random), !underWay.isEmpty {
        let index = Int.random(in: 0..<underWay.count, using: &random)
        let row = underWay.remove(at: index)
        window.finish(row, -row)
      }
      while let (row, value) = window.take() {
        #expect(value == -row)
        taken.append(row)
      }
      #expect(window.unfinished == underWay.count && window.count <= 300)
      if next >= 60_000, underWay.isEmpty { break }
    }
    #expect(zip(taken, taken.dropFirst()).allSatisfy { $0 < $1 })
    #expect(taken.count >= 19_000)
  }

  /// A value that tells when it is let go.
  private final class Traced {
    private let gone: () -> Void
    init(_ gone: @escaping () -> Void) { self.gone = gone }
    deinit { gone() }
  }

  @Test func `a taken value is released at once`() {
    var window = RowWindow<Traced>()
    var count = 0
    for row in 0..<5 {
      window.begin(row)
      window.finish(row, Traced { count += 1 })
    }
    for number in 1...5 {
      _ = window.take()
      #expect(count == number)
    }
  }
}
