import CTorch

/// An n-dimensional array of libtorch, with automatic differentiation.
///
/// One object owns one reference to libtorch's tensor and gives it back as soon as the last use is
/// over. Operations on wrong shapes or types stop the program with libtorch's message; they are
/// mistakes in the code. A tensor stays on the thread that made it: what crosses threads is host data.
public final class Tensor {
  let handle: OpaquePointer

  init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { ct_release(handle) }

  /// A tensor on the CPU from values in row-major order.
  ///
  /// - Parameters:
  ///   - values: The elements.
  ///   - shape: The dimensions; their product must be the number of values.
  public convenience init<Scalar: TensorScalar>(_ values: [Scalar], shape: [Int]) {
    precondition(
      values.count == shape.reduce(1, *),
      "\(values.count) values do not fill shape \(shape)"
    )
    self.init(
      owning: values.withUnsafeBytes { Self.copy($0, shape: shape, dtype: Scalar.dtype) }
    )
  }

  /// A tensor of one dimension on the CPU.
  public convenience init<Scalar: TensorScalar>(_ values: [Scalar]) {
    self.init(values, shape: [values.count])
  }

  /// A tensor of no dimensions, float32, on the CPU.
  public convenience init(scalar: Double) { self.init([Float(scalar)], shape: []) }

  /// A copy of raw row-major memory as a tensor on the CPU.
  ///
  /// - Parameters:
  ///   - bytes: Exactly the elements' bytes, in this machine's byte order.
  ///   - shape: The dimensions.
  ///   - dtype: What the bytes are.
  public convenience init(copying bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) {
    self.init(owning: Self.copy(bytes, shape: shape, dtype: dtype))
  }

  private static func copy(
    _ bytes: UnsafeRawBufferPointer,
    shape: [Int],
    dtype: DType
  ) -> OpaquePointer {
    var result: OpaquePointer?
    let sizes = shape.map(Int64.init)
    let status = ct_from_bytes(
      bytes.baseAddress,
      bytes.count,
      sizes,
      Int32(sizes.count),
      dtype.rawValue,
      &result
    )
    guard status == 0, let result else { torchFailure("tensor of shape \(shape)") }
    return result
  }

  /// The dimensions.
  public var shape: [Int] { (0..<rank).map { Int(ct_size(handle, Int32($0))) } }

  /// The number of dimensions.
  public var rank: Int { Int(ct_dimensions(handle)) }

  /// The number of elements.
  public var count: Int { Int(ct_count(handle)) }

  /// Elements of memory from one index of each dimension to the next.
  public var strides: [Int] { (0..<rank).map { Int(ct_stride(handle, Int32($0))) } }

  /// The memory order that operations on this tensor keep.
  ///
  /// Where both orders are the same, as with one channel, it is `contiguous`.
  public var memoryFormat: MemoryFormat {
    ct_is_channels_last(handle) ? .channelsLast : .contiguous
  }

  /// The element type.
  public var dtype: DType {
    guard let dtype = DType(rawValue: ct_dtype(handle)) else {
      preconditionFailure("a tensor of a type nifty does not use: \(ct_dtype(handle))")
    }
    return dtype
  }

  /// Where the elements live.
  public var device: Device {
    var (type, index): (Int32, Int32) = (0, 0)
    ct_device(handle, &type, &index)
    return switch type {
    case 0: .cpu
    case Device.meta.typeCode: .meta
    default: .cuda(Int(index))
    }
  }

  /// The dimensions of a tensor that must have exactly two.
  public var shape2: (Int, Int) {
    let shape = shape
    precondition(shape.count == 2, "expected two dimensions, got \(shape)")
    return (shape[0], shape[1])
  }

  /// The dimensions of a tensor that must have exactly four.
  public var shape4: (Int, Int, Int, Int) {
    let shape = shape
    precondition(shape.count == 4, "expected four dimensions, got \(shape)")
    return (shape[0], shape[1], shape[2], shape[3])
  }

  /// The size of one dimension; negative numbers count from the last.
  public func size(_ dimension: Int) -> Int {
    Int(ct_size(handle, Int32(dimension < 0 ? dimension + rank : dimension)))
  }

  /// The only element, as a `Double`; waits for the device.
  public var item: Double {
    var value = 0.0
    if ct_item(handle, &value) != 0 { torchFailure("item of shape \(shape)") }
    return value
  }

  /// The elements in row-major order, converted; waits for the device.
  public func values<Scalar: TensorScalar>(_ type: Scalar.Type = Scalar.self) -> [Scalar] {
    let count = count
    return [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = count * MemoryLayout<Scalar>.stride
      if ct_to_bytes(handle, Scalar.dtype.rawValue, buffer.baseAddress, bytes) != 0 {
        torchFailure("values of shape \(shape)")
      }
      initialized = count
    }
  }

  /// The elements as `Float` in row-major order; waits for the device.
  public var floats: [Float] { values() }

  /// The raw bytes of the elements in row-major order, in the tensor's own type.
  public var bytes: [UInt8] {
    let count = count * dtype.byteCount
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      if ct_to_bytes(handle, dtype.rawValue, buffer.baseAddress, count) != 0 {
        torchFailure("bytes of shape \(shape)")
      }
      initialized = count
    }
  }

  /// The elements where they are, if they lie in host memory in row-major order.
  ///
  /// Valid while this object lives and nothing gives the tensor other memory: read from another thread only what
  /// nobody changes meanwhile.
  package var rowMajorMemory: UnsafeRawBufferPointer? {
    ct_row_major_data(handle).map { .init(start: $0, count: count * dtype.byteCount) }
  }
}

/// A Swift type that a tensor's elements can be copied from and to.
public protocol TensorScalar {
  /// The element type with the same memory layout.
  static var dtype: DType { get }
}

extension Float: TensorScalar {
  /// The element type with the same memory layout.
  public static var dtype: DType { .float32 }
}
extension Double: TensorScalar {
  /// The element type with the same memory layout.
  public static var dtype: DType { .float64 }
}
extension Int64: TensorScalar {
  /// The element type with the same memory layout.
  public static var dtype: DType { .int64 }
}
extension Int32: TensorScalar {
  /// The element type with the same memory layout.
  public static var dtype: DType { .int32 }
}
extension UInt8: TensorScalar {
  /// The element type with the same memory layout.
  public static var dtype: DType { .uint8 }
}

extension Tensor: CustomStringConvertible {
  /// Shape, type and device.
  public var description: String { "Tensor(\(shape), \(dtype), \(device))" }
}
