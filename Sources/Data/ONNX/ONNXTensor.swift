import Protobuf

/// The element types of tensors that nifty writes; raw values are those of `TensorProto.DataType`.
package enum ONNXType: Int, Sendable {
  case float32 = 1
  case int32 = 6
  case int64 = 7
  case float16 = 10

  /// Size of one element in bytes.
  package var byteCount: Int {
    switch self {
    case .float16: 2
    case .float32, .int32: 4
    case .int64: 8
    }
  }
}

/// A constant of a graph: its values are asked for when their turn comes, so that no more than one needs to
/// be in memory.
package struct ONNXTensor {
  /// Its name in the graph.
  package let name: String
  /// The element type.
  package let type: ONNXType
  /// The dimensions; none for a scalar.
  package let shape: [Int]
  /// Gives the elements in row-major order, little-endian, exactly as many as the shape says.
  let content: () throws -> [UInt8]

  /// A constant.
  package init(
    name: String,
    type: ONNXType,
    shape: [Int],
    content: @escaping () throws -> [UInt8]
  ) {
    (self.name, self.type, self.shape, self.content) = (name, type, shape, content)
  }

  /// Size of the elements in bytes.
  package var byteCount: Int { shape.reduce(type.byteCount, *) }

  /// A `TensorProto` up to the elements, which end it.
  var head: ProtobufMessage {
    var message = ProtobufMessage()
    for dimension in shape { message.add(1, dimension) }
    message.add(2, type.rawValue)
    message.add(8, name)
    message.addHead(9, length: byteCount)
    return message
  }
}
