import BasicAlgorithms
import CTorch

/// Where a computation's random numbers come from; always passed in, never global.
///
/// Golden tests replay recorded draws through it; training uses `SeededRandom`.
public protocol RandomSource: AnyObject {
  /// Independent values from N(0, 1), float32, on the CPU.
  func normal(_ shape: [Int]) -> Tensor
  /// Independent values from N(0, (deviation · gain)²), float32, on the CPU: fresh weights.
  func normal(_ shape: [Int], deviation: Double, gain: Double) -> Tensor
  /// Independent values from U[0, 1), float32, on the CPU.
  func uniform(_ shape: [Int]) -> Tensor
  /// One integer of `range`, all equally likely.
  func integer(in range: Range<Int>) -> Int
}

extension RandomSource {
  /// Values from N(0, 1), multiplied by one factor after the other.
  public func normal(_ shape: [Int], deviation: Double, gain: Double) -> Tensor {
    let values = normal(shape) * deviation
    return gain == 1 ? values : values * gain
  }

  /// Values from N(0, deviation²).
  public func normal(_ shape: [Int], deviation: Double) -> Tensor {
    normal(shape, deviation: deviation, gain: 1)
  }
}

/// Random numbers that are a pure function of a seed and the order of the draws.
///
/// Draws are made on the CPU whatever the device, so that a run does not depend on its hardware.
public final class SeededRandom: RandomSource {
  private let generator: OpaquePointer

  /// A source that starts at `seed`.
  public init(seed: UInt64) {
    guard let generator = ct_generator_create(seed) else { torchFailure("random generator") }
    self.generator = generator
  }

  /// A source for one purpose at one position of a run, independent of all others.
  ///
  /// - Parameters:
  ///   - seed: The run's seed.
  ///   - stream: What the numbers are for.
  ///   - position: Where in the run, usually the images seen.
  public convenience init(seed: UInt64, stream: RandomStream, position: UInt64) {
    self.init(seed: mixed(seed, stream.number, position))
  }

  /// A source for one of the purposes that start at the seed itself.
  public convenience init(seed: UInt64, plain stream: PlainStream) { self.init(seed: seed) }

  deinit { ct_generator_free(generator) }

  /// Independent values from N(0, 1), float32, on the CPU.
  public func normal(_ shape: [Int]) -> Tensor {
    Self.randn(shape, Handle(generator), DType.float32)
  }

  /// Independent values from U[0, 1), float32, on the CPU.
  public func uniform(_ shape: [Int]) -> Tensor {
    Self.rand(shape, Handle(generator), DType.float32)
  }

  /// One integer of a range, all equally likely.
  public func integer(in range: Range<Int>) -> Int {
    precondition(!range.isEmpty, "no integer in an empty range")
    let drawn = Self.randint(
      range.lowerBound,
      range.upperBound,
      [Int](),
      Handle(generator),
      DType.int64
    )
    return Int(drawn.item)
  }

  /// A random order of 0..<count, int64 [count].
  public func permutation(_ count: Int) -> Tensor {
    Self.randperm(count, Handle(generator), DType.int64)
  }

  private struct Handle: OperatorArgument {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    func push(to call: OpaquePointer) { ct_push_generator(call, pointer) }
  }

  private static let randn = Operator("aten::randn.generator")
  private static let rand = Operator("aten::rand.generator")
  private static let randint = Operator("aten::randint.low_generator")
  private static let randperm = Operator("aten::randperm.generator")
}

/// Mixes several numbers into one well-spread seed (SplitMix64's finaliser over each in turn).
public func mixed(_ values: UInt64...) -> UInt64 {
  values.reduce(SplitMix64.increment) { state, value in
    SplitMix64.finalised((state ^ value) &+ SplitMix64.increment)
  }
}
