import Files
import Foundation
import TestSupport
import Testing

@testable import ONNX

/// Files of ONNX, byte by byte as onnx.proto has them.
@Suite("Files of ONNX")
struct ONNXModelTests {
  private func graph() -> ONNXGraph {
    let graph = ONNXGraph(name: "g")
    let x = graph.input("x", .float32, [.named("N"), .fixed(2)], meaning: "m")
    let two = graph.constant(
      ONNXTensor(name: "two", type: .float16, shape: [2]) { [0x00, 0x40, 0x00, 0x3C] }
    )
    let y = graph.add("Scale", [x, two], in: "a", [("axis", .int(-1)), ("pads", .ints([1, 2]))])
    graph.output(y, as: "y", .float32, [], meaning: "")
    return graph
  }

  /// The message of a field with its head.
  private func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    [tag, UInt8(content.count)] + content
  }

  private func text(_ tag: UInt8, _ text: String) -> [UInt8] { field(tag, Array(text.utf8)) }

  @Test func `a model has the bytes that the format says`() throws {
    let folder = try TemporaryFolder()
    let model = ONNXModel(graph: graph(), producer: ("p", "1"), metadata: ["k": "v", "a": "b"])
    let size = try model.write(to: folder.file("x.onnx"))
    let minusOne = [UInt8](repeating: 0xFF, count: 9) + [0x01]
    let axis = text(0x0A, "axis") + [0x18] + minusOne + [0xA0, 0x01, 0x02]
    let pads = text(0x0A, "pads") + [0x40, 1, 0x40, 2, 0xA0, 0x01, 0x07]
    let scale =
      text(0x0A, "x") + text(0x0A, "two") + text(0x12, "a/Scale") + text(0x1A, "a/Scale")
      + text(0x22, "Scale") + field(0x2A, axis) + field(0x2A, pads)
    let identity =
      text(0x0A, "a/Scale") + text(0x12, "y") + text(0x1A, "y") + text(0x22, "Identity")
    let dimensions = field(0x0A, text(0x12, "N")) + field(0x0A, [0x08, 2])
    let input =
      text(0x0A, "x")
      + field(0x12, field(0x0A, [0x08, 1] + field(0x12, dimensions))) + text(0x1A, "m")
    let output =
      text(0x0A, "y")
      + field(0x12, field(0x0A, [0x08, 1] + field(0x12, []))) + text(0x1A, "")
    let two = [0x08, 2, 0x10, 10] + text(0x42, "two") + field(0x4A, [0x00, 0x40, 0x00, 0x3C])
    let inside =
      field(0x0A, scale) + field(0x0A, identity) + text(0x12, "g") + field(0x5A, input)
      + field(0x62, output) + field(0x2A, two)
    let expected =
      [0x08, 8] + text(0x12, "p") + text(0x1A, "1") + field(0x42, text(0x0A, "") + [0x10, 17])
      + field(0x72, text(0x0A, "a") + text(0x12, "b"))
      + field(0x72, text(0x0A, "k") + text(0x12, "v"))
      + [0x3A, UInt8(inside.count & 0x7F) | 0x80, UInt8(inside.count >> 7)] + inside
    let bytes = try Data(contentsOf: URL(filePath: folder.file("x.onnx")))
    #expect(Array(bytes) == expected)
    #expect(size == expected.count)
  }

  @Test func `names of the same operation count up`() {
    let graph = graph()
    let x = ONNXValue(name: "x")
    #expect(graph.add("Scale", [x], in: "a").name == "a/Scale_1")
    #expect(graph.add("Split", [x], results: 2, in: "a").map(\.name) == ["a/Split.0", "a/Split.1"])
    #expect(graph.inputNames == ["x"])
  }

  @Test func `what no reader takes is refused before a byte is written`() throws {
    let folder = try TemporaryFolder()
    let graph = graph()
    _ = graph.constant(
      ONNXTensor(name: "huge", type: .float32, shape: [1 << 15, 1 << 14]) {
        Issue.record("the elements are asked for")
        return []
      }
    )
    let path = folder.file("x.onnx")
    let error = #expect(throws: ONNXError.self) {
      try ONNXModel(graph: graph, producer: ("p", "1"), metadata: [:]).write(to: path)
    }
    #expect(error?.description.hasSuffix("in half precision (--half)") == true)
    #expect(folder.contents.isEmpty)
  }

  @Test func `constants that cannot be read leave nothing behind`() throws {
    let folder = try TemporaryFolder()
    let graph = graph()
    let failure = FileError("read", path: "weights", reason: "it is gone")
    _ = graph.constant(
      ONNXTensor(name: "gone", type: .float32, shape: [1]) { throw failure }
    )
    #expect(throws: failure) {
      try ONNXModel(graph: graph, producer: ("p", "1"), metadata: [:])
        .write(to: folder.file("x.onnx"))
    }
    #expect(folder.contents.isEmpty)
  }

  @Test func `an operation takes what is there`() async {
    await #expect(processExitsWith: .failure) {
      _ = ONNXGraph(name: "g").add("Abs", [ONNXValue(name: "x")], in: "a")
    }
  }
}
