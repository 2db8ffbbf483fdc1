import Datasets
import Files

extension Tar {
  /// The entry whose header is at `offset`: its name and where its bytes are; `nil` at the end.
  static func entry(
    at offset: Int,
    in bytes: UnsafeRawBufferPointer
  ) -> (name: String, content: Range<Int>, next: Int)? {
    guard offset + blockSize <= bytes.count else { return nil }
    let header = Array(bytes[offset..<offset + blockSize])
    func text(_ range: Range<Int>) -> String {
      String(decoding: header[range].prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
    }
    guard text(257..<262) == "ustar", Int(text(148..<156), radix: 8) == checksum(header),
      let size = Int(text(124..<136), radix: 8), size >= 0
    else { return nil }
    let start = offset + blockSize
    let next = start + (size + blockSize - 1) / blockSize * blockSize
    guard next <= bytes.count else { return nil }
    return (text(0..<100), start..<start + size, next)
  }

  /// The bytes that the first entries of an archive take.
  static func size(ofFirst count: Int, in path: String) throws(FileError) -> Int {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    var offset = 0
    for _ in 0..<count {
      guard let entry = entry(at: offset, in: file.bytes) else {
        throw FileError("continue", path: path, reason: "it has lost pairs that were stored")
      }
      offset = entry.next
    }
    return offset
  }

  /// The sum of a header's bytes, its own field counted as spaces.
  private static func checksum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { sum, item in
      sum + ((148..<156).contains(item.offset) ? 0x20 : Int(item.element))
    }
  }
}
