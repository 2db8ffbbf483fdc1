package import Files
import Protobuf

/// A graph with what is said about it, ready to be a file (https://onnx.ai/onnx/repo-docs/IR.html).
package struct ONNXModel {
  /// Version 8 of the format, which ONNX 1.10 introduced.
  private static let formatVersion = 8
  /// The operators' version, ONNX 1.12: the first with layer normalisation.
  package static let operatorSet = 17

  /// What it computes.
  package let graph: ONNXGraph
  /// What wrote it: "nifty" and its version.
  package let producer: (name: String, version: String)
  /// Free text by key, which readers show.
  package let metadata: [String: String]

  /// A model.
  package init(
    graph: ONNXGraph,
    producer: (name: String, version: String),
    metadata: [String: String]
  ) {
    (self.graph, self.producer, self.metadata) = (graph, producer, metadata)
  }

  /// Writes the model, atomically, a constant at a time.
  ///
  /// - Parameter path: The final name; its folder must exist.
  /// - Returns: Size of the file in bytes.
  /// - Throws: `ONNXError` if it is larger than the format can be; `FileError` if it cannot be written; what
  ///   the constants throw.
  package func write(to path: String) throws -> Int {
    let parts = parts
    let size = parts.reduce(0) { $0 + $1.size }
    guard size <= ProtobufMessage.limit else {
      throw ONNXError(
        description: "\(path) would have \(size) bytes, and a file of ONNX has at most "
          + "\(ProtobufMessage.limit): store the weights in half precision (--half)"
      )
    }
    let file = try AtomicFile(path, flushInterval: AtomicFile.runInterval)
    for part in parts {
      try file.write(part.message.bytes)
      guard let tensor = part.tensor else { continue }
      let content = try tensor.content()
      precondition(
        content.count == tensor.byteCount,
        "\(tensor.name): \(content.count) bytes instead of \(tensor.byteCount)"
      )
      try file.write(content)
    }
    try file.commit()
    return size
  }

  /// Bytes of the file, and the constant whose elements follow them.
  private struct Part {
    var message: ProtobufMessage
    var tensor: ONNXTensor?

    var size: Int { message.bytes.count + (tensor?.byteCount ?? 0) }
  }

  /// The file in order, its elements left out.
  private var parts: [Part] {
    let inside = graphParts
    var start = ProtobufMessage()
    start.add(1, Self.formatVersion)
    start.add(2, producer.name)
    start.add(3, producer.version)
    var operators = ProtobufMessage()
    operators.add(1, "")
    operators.add(2, Self.operatorSet)
    start.add(8, operators)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufMessage()
      entry.add(1, key)
      entry.add(2, value)
      start.add(14, entry)
    }
    start.addHead(7, length: inside.reduce(0) { $0 + $1.size })
    return [Part(message: start)] + inside
  }

  /// The `GraphProto`.
  private var graphParts: [Part] {
    var words = ProtobufMessage()
    for node in graph.nodes { words.add(1, node.message) }
    words.add(2, graph.name)
    for port in graph.inputs { words.add(11, port.message) }
    for port in graph.outputs { words.add(12, port.message) }
    return [Part(message: words)]
      + graph.constants.map { tensor in
        let head = tensor.head
        var field = ProtobufMessage()
        field.addHead(5, length: head.bytes.count + tensor.byteCount)
        field.append(head)
        return Part(message: field, tensor: tensor)
      }
  }
}

/// A model that no file of ONNX can hold, in one line.
package struct ONNXError: Error, Equatable, CustomStringConvertible {
  /// What is wrong with which file, and what to do.
  package let description: String
}
