package import Files

/// The type of a tensor's elements, by PyTorch's name.
package enum TorchScalarType: String, Sendable, CaseIterable {
  case float16, bfloat16, float32, float64, int8, int16, int32, int64, uint8, bool

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  /// The name of PyTorch's typed storage for it, such as `FloatStorage`.
  var storageName: String {
    switch self {
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    case .int8: "CharStorage"
    case .int16: "ShortStorage"
    case .int32: "IntStorage"
    case .int64: "LongStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    }
  }

  init?(storageName: String) {
    guard let type = Self.allCases.first(where: { $0.storageName == storageName }) else {
      return nil
    }
    self = type
  }
}

/// The memory several tensors may lie in.
struct TorchStorage {
  /// The type of the elements; `nil` for untyped bytes.
  var type: TorchScalarType?
  /// Little-endian values.
  var buffer: MappedBytes
}

/// A tensor in a file: where its values lie and how they are laid out; nothing is copied.
package struct TorchTensor: Sendable {
  /// The type of the elements.
  package let type: TorchScalarType
  /// Lengths of the dimensions; empty for a scalar.
  package let shape: [Int]
  /// Distance of neighbours along each dimension, in elements.
  package let strides: [Int]
  /// Index of the first element in the storage.
  package let storageOffset: Int
  /// The whole storage, little-endian; tensors may share it.
  package let storage: MappedBytes

  /// Number of elements.
  package let count: Int

  /// Checks that every element lies inside the storage.
  ///
  /// - Throws: `PickleError.content` when the layout is impossible.
  package init(
    type: TorchScalarType,
    shape: [Int],
    strides: [Int],
    storageOffset: Int,
    storage: MappedBytes
  ) throws(PickleError) {
    guard shape.count == strides.count, shape.count <= 64,
      shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }), storageOffset >= 0
    else { throw .content(reason: "a tensor of shape \(shape) with strides \(strides)") }
    // Of no elements too: contiguous strides and sizes in bytes are products of dimensions.
    let extent = shape.reduce((type.size, false)) { extent, length in
      let (product, overflow) = extent.0.multipliedReportingOverflow(by: max(length, 1))
      return (product, extent.1 || overflow)
    }
    var count = 1
    var last = storageOffset
    var overflow = extent.1
    for (length, stride) in zip(shape, strides) {
      let (product, over1) = count.multipliedReportingOverflow(by: length)
      let (reach, over2) = max(length - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, over3) = last.addingReportingOverflow(reach)
      (count, last) = (product, sum)
      overflow = overflow || over1 || over2 || over3
    }
    let available = storage.count / type.size
    // Expanded dimensions (stride 0) hold more elements than the storage; a few are legitimate.
    guard !overflow, count == 0 || last < available, count <= max(available, 1 << 24) else {
      throw .content(
        reason: "a tensor of shape \(shape), strides \(strides) at \(storageOffset) does not lie "
          + "in its storage of \(available) elements"
      )
    }
    self.type = type
    self.shape = shape
    self.strides = strides
    self.storageOffset = storageOffset
    self.storage = storage
    self.count = count
  }

  /// True when the elements lie in order without gaps (C order).
  package var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      if stride != expected { return false }
      expected *= length
    }
    return true
  }

  /// The values in C order, in the type they are stored in: `count * type.size` bytes.
  package func contiguousBytes() -> [UInt8] {
    if count == 0 { return [] }
    if isContiguous { return withContiguousBytes { Array($0) } }
    let size = type.size
    return storage.withBytes { bytes in
      [UInt8](unsafeUninitializedCapacity: count * size) { target, filled in
        var written = 0
        forEachElement { index in
          for byte in 0..<size { target[written + byte] = bytes[index * size + byte] }
          written += size
        }
        filled = written
      }
    }
  }

  /// The same without a copy where they lie in C order.
  package func withContiguousBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    guard isContiguous, count > 0 else { return contiguousBytes().withUnsafeBytes(body) }
    let start = storageOffset * type.size
    return storage.withBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count * type.size]))
    }
  }

  /// The values in C order as 32-bit floats; bools are 0 and 1.
  package func contiguousFloats() -> [Float] {
    let bytes = contiguousBytes()
    return bytes.withUnsafeBytes { raw in
      switch type {
      case .float32: convert(raw, UInt32.self) { Float(bitPattern: $0) }
      case .float64: convert(raw, UInt64.self) { Float(Double(bitPattern: $0)) }
      case .float16: convert(raw, UInt16.self) { Float(Float16(bitPattern: $0)) }
      case .bfloat16: convert(raw, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
      case .int8: convert(raw, Int8.self) { Float($0) }
      case .int16: convert(raw, Int16.self) { Float($0) }
      case .int32: convert(raw, Int32.self) { Float($0) }
      case .int64: convert(raw, Int64.self) { Float($0) }
      case .uint8: convert(raw, UInt8.self) { Float($0) }
      case .bool: convert(raw, UInt8.self) { $0 == 0 ? 0 : 1 }
      }
    }
  }

  private func convert<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer,
    _ stored: Stored.Type,
    _ body: (Stored) -> Float
  ) -> [Float] {
    let size = MemoryLayout<Stored>.size
    return [Float](unsafeUninitializedCapacity: count) { target, filled in
      for index in 0..<count {
        let value = bytes.loadUnaligned(fromByteOffset: index * size, as: stored)
        target[index] = body(Stored(littleEndian: value))
      }
      filled = count
    }
  }

  /// Calls `body` with the storage index of every element, in C order.
  private func forEachElement(_ body: (Int) -> Void) {
    var position = [Int](repeating: 0, count: shape.count)
    var index = storageOffset
    for _ in 0..<count {
      body(index)
      for dimension in shape.indices.reversed() {
        position[dimension] += 1
        // The stride of a single row may be any number: what wraps around here wraps back.
        index &+= strides[dimension]
        if position[dimension] < shape[dimension] { break }
        index &-= position[dimension] &* strides[dimension]
        position[dimension] = 0
      }
    }
  }
}
