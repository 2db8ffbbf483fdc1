/// A message in protocol buffers' wire format (protobuf.dev/programming-guides/encoding), as far as
/// TensorBoard's events need it.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum Wire: UInt64 {
    case varint = 0
    case fixed64 = 1
    case length = 2
    case fixed32 = 5
  }

  /// A number of type int64 or enum, or a bool.
  mutating func put(_ field: UInt64, _ value: Int) {
    key(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A double.
  mutating func put(_ field: UInt64, _ value: Double) {
    key(field, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  /// A float.
  mutating func put(_ field: UInt64, _ value: Float) {
    key(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  /// A string.
  mutating func put(_ field: UInt64, _ value: String) { put(field, Array(value.utf8)) }

  /// A message in a message.
  mutating func put(_ field: UInt64, _ value: ProtobufMessage) { put(field, value.bytes) }

  /// Bytes.
  mutating func put(_ field: UInt64, _ value: [UInt8]) {
    key(field, .length)
    varint(UInt64(value.count))
    bytes += value
  }

  private mutating func key(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
