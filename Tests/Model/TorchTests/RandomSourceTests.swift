import Testing
import Torch
import TorchTestSupport

@Suite("Random numbers")
struct RandomSourceTests {
  @Test func `a seed determines every draw in order`() {
    func draws(_ random: SeededRandom) -> [Float] {
      random.normal([3]).floats + random.uniform([2, 2]).floats
        + [Float(random.integer(in: 5..<50))] + random.permutation(4).floats
    }
    #expect(draws(SeededRandom(seed: 7)) == draws(SeededRandom(seed: 7)))
    #expect(draws(SeededRandom(seed: 7)) != draws(SeededRandom(seed: 8)))
  }

  @Test func `purposes and positions have streams of their own`() {
    var seen: Set<[Float]> = []
    for seed: UInt64 in 0..<3 {
      for stream in [RandomStream.weights, .sampleGrid, .metricImages] {
        for position: UInt64 in 0..<3 {
          let random = SeededRandom(seed: seed, stream: stream, position: position)
          seen.insert(random.normal([4]).floats)
        }
      }
    }
    #expect(seen.count == 27)
    // (1, 2) and (2, 1) must not meet.
    #expect(mixed(1, 2) != mixed(2, 1) && mixed(0) != mixed(0, 0))
  }

  @Test func `the numbers of the streams are those that earlier results were made with`() {
    #expect(
      RandomStream.allCases.map(\.number) == [
        1, 2, 10, 11, 13, 14, 20, 1, 2, 7, 30, 31, 32, 3, 7, 6, 50, 51, 55, 52, 53, 54, 8, 4, 5,
        6, 7, 9, 40, 41,
      ]
    )
  }

  @Test func `moments and ranges`() {
    let random = SeededRandom(seed: 1)
    let normal = random.normal([20_000])
    expectClose(normal.mean().item, 0, atol: 0.03)
    expectClose(normal.squared().mean().item, 1, atol: 0.05)
    let uniform = random.uniform([20_000])
    #expect(uniform.smallest(0).item >= 0 && uniform.largest(0).item < 1)
    expectClose(uniform.mean().item, 0.5, atol: 0.02)
    let integers = (0..<200).map { _ in random.integer(in: -2..<3) }
    #expect(Set(integers) == [-2, -1, 0, 1, 2])
    #expect(Set(random.permutation(50).values(Int64.self)) == Set(0..<50))
  }

  @Test func `an empty range stops the program`() async {
    await #expect(processExitsWith: .failure) {
      _ = SeededRandom(seed: 1).integer(in: 3..<3)
    }
  }
}
