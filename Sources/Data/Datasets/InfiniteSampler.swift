/// The endless order in which training visits a dataset, as StyleGAN2 and LAFITE define it.
///
/// The indices are shuffled once; then the order is walked cyclically, and each visited index is swapped
/// with one of the last `window` indices. Step p is a pure function of (count, seed, p):
/// to resume, the swaps before p are replayed, a few nanoseconds each. Memory: four bytes per
/// index. With several ranks, rank r takes the steps p with `p % ranks == r`.
package struct InfiniteSampler: Sendable {
  /// The step that comes next, counted from 0 over all ranks.
  package private(set) var position = 0

  private let count: Int
  private let seed: UInt32
  private let windowSize: Double
  private let shuffles: Bool
  private let window: Int
  private var order: [UInt32]
  private var random: NumPyRandom

  /// Starts at step 0.
  ///
  /// - Parameters:
  ///   - count: Number of indices, at least 1.
  ///   - seed: Seed of the shuffle and of the swaps.
  ///   - windowSize: The range of a swap as a fraction of `count`, in [0, 1].
  ///   - shuffles: `false` walks the indices in order.
  package init(count: Int, seed: UInt32, windowSize: Double = 0.5, shuffles: Bool = true) {
    precondition((1...Int(UInt32.max)).contains(count), "sampler of \(count) indices")
    precondition((0...1).contains(windowSize), "window of \(windowSize)")
    self.count = count
    self.seed = seed
    self.windowSize = windowSize
    self.shuffles = shuffles
    window = shuffles ? Int((Double(count) * windowSize).rounded(.toNearestOrEven)) : 0
    random = NumPyRandom(seed: seed)
    order = (0..<UInt32(count)).map { $0 }
    if shuffles { random.shuffle(&order) }
  }

  /// The index visited at step `position`; moving forward is cheap, moving back replays from the start.
  package mutating func index(at position: Int) -> Int {
    precondition(position >= 0, "sampler step \(position)")
    if position < self.position {
      self = InfiniteSampler(count: count, seed: seed, windowSize: windowSize, shuffles: shuffles)
    }
    if window < 2 {
      self.position = position
    } else {
      while self.position < position { step() }
    }
    return Int(order[position % count])
  }

  /// The index of the next step.
  package mutating func next() -> Int {
    let index = index(at: position)
    if window < 2 { position += 1 } else { step() }
    return index
  }

  private mutating func step() {
    let i = position % count
    let j = (i - random.integer(below: window) + count) % count
    order.swapAt(i, j)
    position += 1
  }
}
