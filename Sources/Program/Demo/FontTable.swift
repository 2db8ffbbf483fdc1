import Files

/// The bytes of a font: a mapped file, or memory.
final class FontFile: @unchecked Sendable {
  // Sendable: the bytes are never written after init.

  private let bytes: UnsafeRawBufferPointer
  private let mapping: MappedFile?

  init(mapping path: String) throws(FileError) {
    let mapping = try MappedFile(path)
    bytes = mapping.bytes
    self.mapping = mapping
  }

  init(_ content: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 16)
    memory.copyBytes(from: content)
    bytes = UnsafeRawBufferPointer(memory)
    mapping = nil
  }

  deinit {
    if mapping == nil { bytes.deallocate() }
  }

  var count: Int { bytes.count }

  func byte(_ index: Int) -> UInt8 { bytes[index] }

  func array(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }
}

/// A range of a font in which every read is checked; numbers are big-endian.
struct FontTable {
  let name: String
  let file: FontFile
  let range: Range<Int>

  var count: Int { range.count }

  /// The part that starts at `offset` and goes to the end of the table, or `length` bytes far.
  func part(at offset: Int, length: Int? = nil) throws(DemoError) -> FontTable {
    guard offset >= 0, offset <= count, (length ?? 0) >= 0, (length ?? 0) <= count - offset else {
      throw broken("offset \(offset) in \(count) bytes")
    }
    let start = range.lowerBound + offset
    let end = length.map { start + $0 } ?? range.upperBound
    return FontTable(name: name, file: file, range: start..<end)
  }

  func u8(_ offset: Int) throws(DemoError) -> Int {
    guard offset >= 0, offset < count else { throw broken("offset \(offset) in \(count) bytes") }
    return Int(file.byte(range.lowerBound + offset))
  }

  func u16(_ offset: Int) throws(DemoError) -> Int {
    try u8(offset) << 8 | u8(offset + 1)
  }

  func u32(_ offset: Int) throws(DemoError) -> Int {
    try u16(offset) << 16 | u16(offset + 2)
  }

  /// A copy of the bytes.
  var bytes: [UInt8] { file.array(range) }

  func broken(_ reason: String) -> DemoError { .font(table: name, reason: reason) }
}

extension FontFile {
  /// A table by its four-letter tag.
  func table(_ tag: String) throws(DemoError) -> FontTable {
    let whole = FontTable(name: "directory", file: self, range: 0..<count)
    let wanted = tag.utf8.reduce(0) { $0 << 8 | Int($1) }
    for index in 0..<(try whole.u16(4)) {
      let record = 12 + 16 * index
      guard try whole.u32(record) == wanted else { continue }
      let part = try whole.part(at: whole.u32(record + 8), length: whole.u32(record + 12))
      return FontTable(name: tag, file: self, range: part.range)
    }
    throw .font(table: tag, reason: "the font has no such table")
  }
}
