/// The element type of a tensor; raw values are libtorch's `c10::ScalarType`.
public enum DType: Int32, Sendable, CaseIterable {
  case uint8 = 0
  case int8 = 1
  case int16 = 2
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15

  /// Size of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether values of this type carry gradients.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64, .bfloat16: true
    default: false
    }
  }
}

/// Where a tensor lives.
public enum Device: Sendable, Hashable, CustomStringConvertible {
  case cpu
  case cuda(Int)
  /// No memory behind it: operators compute shapes and refuse operands of other devices. Tests find with it
  /// what a GPU would refuse.
  case meta

  var typeCode: Int32 {
    switch self {
    case .cpu: 0
    case .cuda: 1
    case .meta: 14
    }
  }

  var index: Int32 {
    switch self {
    case .cpu, .meta: -1
    case .cuda(let index): Int32(index)
    }
  }

  /// The type of blocks in reduced precision: the original's float16 on CUDA; on a CPU bfloat16, for
  /// which there are instructions.
  public var reducedPrecision: DType { self == .cpu ? .bfloat16 : .float16 }

  /// The memory order of blocks in reduced precision where nothing else is asked for: on a CPU the one
  /// that was measured to be faster (Documentation/PERFORMANCE.md), on CUDA the original's.
  public var reducedPrecisionLayout: MemoryFormat { self == .cpu ? .channelsLast : .contiguous }

  /// "cpu", or "cuda:" and the number.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    case .meta: "meta"
    }
  }
}

/// The order in which a four-dimensional tensor's elements lie in memory.
public enum MemoryFormat: Int, Sendable {
  /// Row-major, `[N, C, H, W]`.
  case contiguous = 0
  /// Channels innermost, `[N, H, W, C]` in memory: what convolutions like best.
  case channelsLast = 2

  /// Channels innermost or outermost.
  public init(channelsLast: Bool) { self = channelsLast ? .channelsLast : .contiguous }
}
