import Protobuf

/// A value of a graph by its name: an input, a constant, or what a node gives.
package struct ONNXValue: Hashable, Sendable {
  /// Its name in the graph.
  package let name: String

  /// An input that a node leaves out.
  package static let absent = ONNXValue(name: "")
}

/// A setting of a node.
package enum ONNXAttribute: Equatable, Sendable {
  case int(Int)
  case float(Float)
  case ints([Int])

  /// The `AttributeProto`.
  func message(name: String) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(1, name)
    switch self {
    case .float(let value):
      message.add(2, value)
      message.add(20, 1)
    case .int(let value):
      message.add(3, value)
      message.add(20, 2)
    case .ints(let values):
      for value in values { message.add(8, value) }
      message.add(20, 7)
    }
    return message
  }
}

/// One operation of a graph.
struct ONNXNode {
  let name: String
  let operation: String
  let inputs: [ONNXValue]
  let outputs: [ONNXValue]
  let attributes: [(name: String, value: ONNXAttribute)]

  /// The `NodeProto`.
  var message: ProtobufMessage {
    var message = ProtobufMessage()
    for input in inputs { message.add(1, input.name) }
    for output in outputs { message.add(2, output.name) }
    message.add(3, name)
    message.add(4, operation)
    for attribute in attributes { message.add(5, attribute.value.message(name: attribute.name)) }
    return message
  }
}

/// The length of one dimension of an input or output.
package enum ONNXDimension: Equatable, Sendable {
  case fixed(Int)
  /// Known when the graph runs; equal names are equal lengths.
  case named(String)
}

/// An input or output of a graph.
struct ONNXPort {
  let value: ONNXValue
  let type: ONNXType
  let shape: [ONNXDimension]
  /// Words for people.
  let meaning: String

  /// The `ValueInfoProto`.
  var message: ProtobufMessage {
    var (dimensions, tensor, type, message) = (
      ProtobufMessage(), ProtobufMessage(), ProtobufMessage(), ProtobufMessage()
    )
    for dimension in shape {
      var length = ProtobufMessage()
      switch dimension {
      case .fixed(let value): length.add(1, value)
      case .named(let name): length.add(2, name)
      }
      dimensions.add(1, length)
    }
    tensor.add(1, self.type.rawValue)
    tensor.add(2, dimensions)
    type.add(1, tensor)
    message.add(1, value.name)
    message.add(2, type)
    message.add(3, meaning)
    return message
  }
}
