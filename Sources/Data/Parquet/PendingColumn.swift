import CParquet

/// Values of one column that wait to be written.
struct PendingColumn {
  var valid: [UInt8] = []
  var integers: [Int64] = []
  var reals: [Double] = []
  /// Bytes of texts and of binary values.
  var text: [UInt8] = []
  var offsets: [Int64] = [0]

  let type: ParquetType

  init(_ type: ParquetType) {
    self.type = type
  }

  /// Appends a value; `false` when it is of another type.
  mutating func append(_ value: ParquetValue) -> Bool {
    switch (type, value) {
    case (.int64, .int64(let value)): integers.append(value)
    case (.int64, .null): integers.append(0)
    case (.double, .double(let value)): reals.append(value)
    case (.double, .null): reals.append(0)
    case (.string, .string(let value)):
      text.append(contentsOf: value.utf8)
      offsets.append(Int64(text.count))
    case (.binary, .binary(let value)):
      text.append(contentsOf: value)
      offsets.append(Int64(text.count))
    case (.string, .null), (.binary, .null): offsets.append(Int64(text.count))
    default: return false
    }
    valid.append(value == .null ? 0 : 1)
    return true
  }
}

/// A column's values at fixed addresses, for one call into C.
final class ColumnBuffers {
  let values: cparquet_values

  private let storage: [UnsafeMutableRawBufferPointer]

  init(_ column: PendingColumn) {
    let valid = Self.copy(column.valid)
    let data =
      switch column.type {
      case .int64: Self.copy(column.integers)
      case .double: Self.copy(column.reals)
      case .string, .binary: Self.copy(column.text)
      }
    let offsets = Self.copy(column.offsets)
    storage = [valid, data, offsets]
    values = cparquet_values(
      valid: valid.baseAddress?.assumingMemoryBound(to: UInt8.self),
      values: UnsafeRawPointer(data.baseAddress),
      offsets: offsets.baseAddress?.assumingMemoryBound(to: Int64.self)
    )
  }

  deinit { for buffer in storage { buffer.deallocate() } }

  private static func copy<Value: BitwiseCopyable>(
    _ values: [Value]
  ) -> UnsafeMutableRawBufferPointer {
    values.withUnsafeBytes { bytes in
      let copy = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(bytes.count, 1),
        alignment: 16
      )
      copy.copyMemory(from: bytes)
      return copy
    }
  }
}
