import BasicAlgorithms
import Glibc

/// Random numbers that depend on (seed, position) alone, not on earlier draws.
///
/// A counter-based generator: draw k at a position is a mixing function of (seed, position, k), which is
/// the finaliser of `SplitMix64`.
struct CounterRandom: RandomNumberGenerator {
  private var state: UInt64

  /// The draws of one position.
  init(seed: UInt64, position: Int) {
    let counter = UInt64(bitPattern: Int64(position))
    state = SplitMix64.finalised(
      SplitMix64.finalised(seed) ^ SplitMix64.finalised(counter &+ SplitMix64.increment)
    )
  }

  mutating func next() -> UInt64 {
    state &+= SplitMix64.increment
    return SplitMix64.finalised(state)
  }

  /// A number in `0 ..< bound`.
  mutating func integer(below bound: Int) -> Int {
    precondition(bound >= 1, "integer below \(bound)")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Independent N(0, 1) numbers, by Box and Muller's transform.
  mutating func normals(_ count: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(count + 1)
    while values.count < count {
      let radius = (-2 * log(1 - uniform())).squareRoot()
      let angle = 2 * Double.pi * uniform()
      values.append(Float(radius * cos(angle)))
      values.append(Float(radius * sin(angle)))
    }
    return Array(values.prefix(count))
  }

  /// A number in [0, 1).
  private mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
