/// NumPy's legacy generator, `numpy.random.RandomState(seed)`: MT19937 and its distributions.
///
/// The order of the original's images depends on its exact numbers. Generator: Matsumoto and
/// Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998). Bounded integers are NumPy's masked
/// rejection: draw 32 bits, keep the low bits that can hold the bound, repeat while above it.
package struct NumPyRandom: Sendable {
  private var state: [UInt32]
  private var index = 624

  /// Seeds the generator as `RandomState(seed)` does with an integer.
  package init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(624)
    for i in 1..<UInt32(624) {
      let last = state[Int(i) - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ i)
    }
  }

  /// The next 32 bits.
  package mutating func next() -> UInt32 {
    if index == 624 { twist() }
    var y = state[index]
    index += 1
    y ^= y >> 11
    y ^= y << 7 & 0x9D2C_5680
    y ^= y << 15 & 0xEFC6_0000
    return y ^ y >> 18
  }

  /// `randint(bound)`: a number in `0 ..< bound`.
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound >= 1 && bound <= 1 << 32, "randint of \(bound)")
    let largest = UInt32(truncatingIfNeeded: bound - 1)
    // A single possible value is returned without a draw.
    if largest == 0 { return 0 }
    let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
    while true {
      let value = next() & mask
      if value <= largest { return Int(value) }
    }
  }

  /// `shuffle(values)` of a list or one-dimensional array: Fisher–Yates from the end.
  package mutating func shuffle<Element>(_ values: inout [Element]) {
    for i in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(i, integer(below: i + 1))
    }
  }

  /// `permutation(count)`: the numbers `0 ..< count`, shuffled.
  package mutating func permutation(_ count: Int) -> [Int] {
    var values = Array(0..<count)
    shuffle(&values)
    return values
  }

  private mutating func twist() {
    for i in 0..<624 {
      let y = state[i] & 0x8000_0000 | state[(i + 1) % 624] & 0x7FFF_FFFF
      state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 == 1 ? 0x9908_B0DF : 0)
    }
    index = 0
  }
}
