import Files
import Testing

@Suite("Kinds of unexpected files")
struct FileKindTests {
  private static let film = [UInt8](repeating: 0, count: 4) + Array("ftypisom".utf8)
  private static let network: [UInt8] =
    [0x08, 0x08, 0x12, 0x05] + Array("nifty".utf8) + [0x1a, 0x05] + Array("0.2.0".utf8) + [0x42]

  @Test(
    arguments: [
      ([0x80, 0x04, 0x95], "a Python pickle"), (Array("ARROW1".utf8), "an Arrow or Feather file"),
      (Array("[1, 2]".utf8), "JSON"), ([0x7F] + Array("ELF".utf8), "a program"),
      ([0x89] + Array("HDF\r\n".utf8), "HDF5"),
      (Array("PK\u{5}\u{6}".utf8), "a zip archive without entries"),
      (Array("SQLite format 3\0".utf8), "an SQLite database"), (Array("GGUF".utf8), "GGUF"),
      (film, "a film, as MP4"), (network, "a network in ONNX"),
      (Array("12345678{\"a\":1}".utf8), "safetensors"),
      ([UInt8](repeating: 0, count: 600), "nothing but zeros, as of a broken download"),
      (Array("hello\n".utf8), nil),
      ([0x08, 0x08, 0x12, 0x05, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], nil),
    ] as [([UInt8], String?)]
  )
  func `a file is named by its first bytes`(bytes: [UInt8], kind: String?) {
    #expect(bytes.withUnsafeBytes { FileKind.guess($0) } == kind)
  }
}
