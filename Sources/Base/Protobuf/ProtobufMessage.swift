/// A message in the wire format of Protocol Buffers, written field by field
/// (https://protobuf.dev/programming-guides/encoding).
///
/// The format has no end marks: a message inside another is its length and its bytes, so the inner one is
/// written first.
package struct ProtobufMessage: Equatable, Sendable {
  /// The largest message that readers take, in bytes: their lengths are signed integers of 32 bits.
  package static let limit = Int(Int32.max)

  /// The fields so far.
  package private(set) var bytes: [UInt8] = []

  /// No fields yet.
  package init() {}

  private enum WireType: Int {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  /// Appends an integer or the number of an enumeration's case.
  package mutating func add(_ field: Int, _ value: Int) {
    addTag(field, .varint)
    // Negative numbers take ten bytes, as int64 has them.
    addVarint(UInt64(bitPattern: Int64(value)))
  }

  /// Appends a `float`.
  package mutating func add(_ field: Int, _ value: Float) {
    addTag(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends a `double`.
  package mutating func add(_ field: Int, _ value: Double) {
    addTag(field, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends a `string`.
  package mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

  /// Appends a message.
  package mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

  /// Appends tag and length of a field whose content, of so many bytes, follows elsewhere.
  package mutating func addHead(_ field: Int, length: Int) {
    addTag(field, .delimited)
    addVarint(UInt64(length))
  }

  /// Appends the fields of another message to this one's.
  package mutating func append(_ fields: ProtobufMessage) { bytes += fields.bytes }

  /// Appends `bytes`.
  package mutating func add(_ field: Int, _ content: [UInt8]) {
    addHead(field, length: content.count)
    bytes += content
  }

  private mutating func addTag(_ field: Int, _ type: WireType) {
    addVarint(UInt64(field << 3 | type.rawValue))
  }

  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  private mutating func addVarint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
