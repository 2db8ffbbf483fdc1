import Files
import TestSupport
import Testing

@testable import Datasets

extension Tag {
  /// Runs for minutes when it runs in full.
  @Tag static var slow: Self
}

/// Reads damaged inputs; `part` of them at least must be refused, and one at least accepted, or
/// nothing but the first check would be tested.
func expectSafe(
  _ inputs: DamagedInputs,
  _ few: Int,
  refused part: Double,
  _ what: String = #function,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: ([UInt8]) throws -> Void
) {
  let report = inputs.read(few, body)
  print("fuzz: \(what): \(report)")
  #expect(
    Double(report.refused) > part * Double(report.inputs) && report.refused < report.inputs,
    sourceLocation: sourceLocation
  )
  // Other tests run beside, and take memory and processor: the bounds are far above any input's.
  #expect(report.slowest < .seconds(5), sourceLocation: sourceLocation)
  #expect(report.peakGrowth < 512 << 20, sourceLocation: sourceLocation)
}

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
    var place = 8
    while bytes.count - place >= 12 {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { break }
      let end = place + 8 + length
      let crc = bytes.withUnsafeBytes { CRC32.of(.init(rebasing: $0[place + 4..<end])) }
      for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * index)) }
      place = end + 4
    }
    return bytes
  }

  /// A tar whose headers have right checksums, as far as one leads to the next.
  static func tar(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var place = 0
    while place >= 0, bytes.count - place >= 512, bytes[place] != 0 {
      for index in 148..<156 { bytes[place + index] = 0x20 }
      let sum = bytes[place..<place + 512].reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      let field = String(repeating: "0", count: 6 - digits.count) + digits
      for (index, digit) in field.utf8.enumerated() { bytes[place + 148 + index] = digit }
      bytes[place + 154] = 0
      let size = String(decoding: bytes[place + 124..<place + 135], as: UTF8.self)
      guard let size = Int(size, radix: 8), size >= 0 else { break }
      place += 512 + (size + 511) / 512 * 512
    }
    return bytes
  }
}

/// The bytes of an LMDB file that say where others are; the rest is picture data.
struct LMDBStructure {
  private let whole: [UInt8]
  private let places: [Int]

  init(_ whole: [UInt8]) {
    self.whole = whole
    let page = 4096
    func word(_ place: Int) -> Int { Int(whole[place]) | Int(whole[place + 1]) << 8 }
    var places = [0, page].flatMap { $0..<$0 + 160 }
    for start in stride(from: 2 * page, to: whole.count, by: page) {
      let flags = word(start + 10)
      guard [1, 2, 4].contains(flags) else { continue }
      places += start..<start + 16
      guard flags != 4 else { continue }
      let lower = min(word(start + 12), page)
      places += start + 16..<start + lower
      for slot in stride(from: start + 16, to: start + lower, by: 2) {
        let node = start + word(slot)
        // The node's header; in a leaf with a large value its page, which stands behind the key.
        let key = word(node + 6)
        places += node..<node + 8
        if flags == 2, word(node + 4) & 1 == 1 { places += node + 8 + key..<node + 16 + key }
      }
    }
    self.places = places
  }

  /// The structure alone.
  var bytes: [UInt8] { places.map { whole[$0] } }

  /// The file with another structure.
  func file(_ structure: [UInt8]) -> [UInt8] {
    var file = whole
    for (place, byte) in zip(places, structure) { file[place] = byte }
    return file
  }
}
