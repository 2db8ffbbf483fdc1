import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

@Suite("safetensors")
struct SafeTensorsTests {
  private func withFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { try body($0 + "/file.safetensors") }
  }

  private func file(_ header: String, payload: Int) -> Data {
    var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    data.append(contentsOf: header.utf8)
    data.append(Data(repeating: 7, count: payload))
    return data
  }

  @Test(arguments: DType.allCases) func `every type survives`(dtype: DType) throws {
    let tensor = Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3]).to(dtype)
    try withFile { path in
      try SafeTensors.write([("a", tensor), ("none", .zeros([0]))], metadata: ["k": "v"], to: path)
      let read = try SafeTensors(path: path)
      #expect(read.names == ["a", "none"])
      #expect(read.metadata == ["k": "v"])
      expectClose(try #require(read["a"]), tensor, rtol: 0, atol: 0)
      #expect(read["none"]?.shape == [0])
      #expect(read["missing"] == nil)
    }
  }

  @Test func `a file that was cut short is told as such, with both sizes`() throws {
    let header = #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#
    try withFile { path in
      try file(header, payload: 10).write(to: URL(filePath: path))
      let error = #expect(throws: TorchError.self) { try SafeTensors(path: path) }
      #expect("\(try #require(error))".contains("ends too early, after 10 of 16 bytes"))
    }
  }

  @Test func `a tensor that is not contiguous is written in order`() throws {
    let tensor = formulaTensor("x", [3, 4]).transposed()
    try withFile { path in
      try SafeTensors.write([("x", tensor)], to: path)
      let read = try SafeTensors(path: path)
      expectClose(try #require(read["x"]), tensor, rtol: 0, atol: 0)
    }
  }

  @Test(arguments: [
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-4,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#,
    #"{"a":[]}"#, #"[]"#, #"{"a":"#, "",
  ])
  func `a header that breaks a rule is refused`(header: String) throws {
    try withFile { path in
      try file(header, payload: 8).write(to: URL(filePath: path))
      #expect(throws: TorchError.self) { try SafeTensors(path: path) }
    }
  }

  @Test(arguments: [
    Data(), Data([1, 0, 0]), Data([255, 255, 255, 255, 255, 255, 255, 255]),
    Data([200, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]), Data([0, 0, 0, 0, 0, 0, 0, 128]),
  ])
  func `a length beyond the file is refused`(data: Data) throws {
    try withFile { path in
      try data.write(to: URL(filePath: path))
      #expect(throws: TorchError.self) { try SafeTensors(path: path) }
    }
  }

  @Test(arguments: [
    ("", "an empty file"), ("<!DOCTYPE html>\n<title>404</title>", "an HTML or XML page"),
    ("PK\u{3}\u{4}\u{14}\0\0\0\0\0", "a zip archive, as torch.save writes"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
  ])
  func `a file that is not safetensors is described`(content: String, kind: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(Array(content.utf8), to: "x.safetensors")
    let error = #expect(throws: TorchError.self) {
      try SafeTensors(path: folder.file("x.safetensors"))
    }
    #expect(error?.description.contains("it looks like \(kind)") == true)
  }

  @Test(arguments: ["[0,4611686018427387904,4611686018427387904]", "[4611686018427387904,0,4]"])
  func `a shape of no elements whose strides overflow is refused`(shape: String) throws {
    let folder = try TemporaryFolder()
    let header = #"{"zzz":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}}"#
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    bytes += Array(header.utf8)
    try folder.write(bytes, to: "x.safetensors")
    let error = #expect(throws: TorchError.self) {
      try SafeTensors(path: folder.file("x.safetensors"))
    }
    #expect(error?.description.contains("tensor zzz has a wrong type, shape or offset") == true)
  }

  @Test func `missing files and folders are errors`() {
    #expect(throws: (any Error).self) { try SafeTensors(path: "/nonexistent/file") }
    #expect(throws: (any Error).self) { try withTemporaryFolder { try SafeTensors(path: $0) } }
    #expect(throws: (any Error).self) {
      try SafeTensors.write([("x", .ones([1]))], to: "/nonexistent/file")
    }
  }
}
