import Archives
import Files
import TestSupport
import Text

@testable import Datasets

/// A zip with right checksums, made and kept in memory.
struct MemoryZip {
  private let file: MemoryFile
  private let folder: String

  /// Where it can be opened.
  var path: String { file.path }

  /// Makes an empty file; a nameless one in `folder` is used on the way.
  init(in folder: String) throws {
    file = try MemoryFile()
    self.folder = folder
  }

  /// Makes the zip anew.
  func write(_ entries: [(name: String, contents: [UInt8])]) throws {
    try write { zip in
      for entry in entries { try zip.add(entry.name, entry.contents) }
    }
  }

  /// Makes the zip anew; `body` adds the entries.
  func write(_ body: (ZipWriter) throws -> Void) throws {
    let spool = try SpoolFile(in: folder)
    let zip = ZipWriter(continuing: spool, directory: [], count: 0)
    try body(zip)
    try zip.finish()
    try spool.mapped().withBytes { try file.write($0) }
  }
}

/// Reads whatever a set holds.
func readEverything(_ set: PackedDataset) throws {
  for index in 0..<set.count {
    _ = try set.image(at: index)
    _ = set.imageFeature(at: index)
    for caption in 0..<set.textFeatureCount(at: index) {
      _ = set.textFeature(image: index, caption: caption)
    }
    _ = try set.captions(at: index)
    _ = try set.label(at: index)
  }
}

/// Repairs of what readers check first, so that damage gets behind it, as a forger's would.
enum Repaired {
  /// A PNG whose chunks have right checksums.
  static func png(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var offset = 8
    while bytes.count - offset >= 12 {
      let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - offset - 12 else { break }
      let end = offset + 8 + length
      let crc = bytes.withUnsafeBytes { CRC32.of(.init(rebasing: $0[offset + 4..<end])) }
      for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * index)) }
      offset = end + 4
    }
    return bytes
  }

  /// A tar whose headers have right checksums, as far as one leads to the next.
  static func tar(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var offset = 0
    while offset >= 0, bytes.count - offset >= 512, bytes[offset] != 0 {
      for index in 148..<156 { bytes[offset + index] = 0x20 }
      let sum = bytes[offset..<offset + 512].reduce(0) { $0 + Int($1) }
      let field = zeroPadded(sum, to: 6, radix: 8)
      for (index, digit) in field.utf8.enumerated() { bytes[offset + 148 + index] = digit }
      bytes[offset + 154] = 0
      let size = String(decoding: bytes[offset + 124..<offset + 135], as: UTF8.self)
      guard let size = Int(size, radix: 8), size >= 0 else { break }
      offset += 512 + (size + 511) / 512 * 512
    }
    return bytes
  }
}
