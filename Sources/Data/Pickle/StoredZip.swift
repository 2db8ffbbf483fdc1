/// The uncompressed entries of a zip file (also Zip64), by name; enough for torch's files.
struct StoredZip {
  /// Names in the order of the directory.
  let names: [String]

  private struct Entry {
    var method: UInt16
    var header: UInt64
    var size: UInt64
    var packedSize: UInt64
  }

  private let buffer: PickleBuffer
  private let entries: [String: Entry]

  init(_ buffer: PickleBuffer) throws(PickleError) {
    self.buffer = buffer
    let directory = try Self.findDirectory(buffer)
    var reader = ByteReader(buffer, at: directory.start)
    var names: [String] = []
    var entries: [String: Entry] = [:]
    for _ in 0..<directory.count {
      let (name, entry) = try Self.readEntry(&reader)
      if entries.updateValue(entry, forKey: name) == nil { names.append(name) }
    }
    self.names = names
    self.entries = entries
  }

  /// The bytes of an entry, where they lie.
  func bytes(of name: String) throws(PickleError) -> PickleBuffer {
    guard let entry = entries[name] else {
      throw .content(reason: "the zip file has no entry '\(name)'")
    }
    guard entry.method == 0, entry.size == entry.packedSize else {
      throw .content(reason: "the entry '\(name)' is compressed, which torch never does")
    }
    guard let header = Int(exactly: entry.header), header <= buffer.count,
      let size = Int(exactly: entry.size)
    else { throw .content(reason: "the entry '\(name)' lies outside of the file") }
    var reader = ByteReader(buffer, at: header)
    guard try reader.integer(UInt32.self) == 0x0403_4B50 else {
      throw .malformed(offset: header, reason: "no zip entry where '\(name)' should be")
    }
    _ = try reader.bytes(22)
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    _ = try reader.bytes(nameLength + extraLength)
    return try reader.bytes(size)
  }

  /// Finds the central directory through the end record (and its Zip64 form).
  private static func findDirectory(
    _ buffer: PickleBuffer
  ) throws(PickleError) -> (start: Int, count: Int) {
    let least = 22
    // The end record is last, followed only by a comment of at most 65535 bytes.
    var position = buffer.count - least
    let lowest = max(0, position - 0xFFFF)
    let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    while position >= lowest {
      if buffer.slice(position..<position + 4).array == signature { break }
      position -= 1
    }
    guard position >= lowest else {
      throw .malformed(offset: buffer.count, reason: "the zip file has no directory")
    }
    var reader = ByteReader(buffer, at: position + 10)
    var count = Int(try reader.integer(UInt16.self))
    _ = try reader.integer(UInt32.self)
    var start = Int(try reader.integer(UInt32.self))
    if position >= 20 {
      var locator = ByteReader(buffer, at: position - 20)
      if try locator.integer(UInt32.self) == 0x0706_4B50 {
        _ = try locator.integer(UInt32.self)
        let record = try locator.integer(UInt64.self)
        guard let offset = Int(exactly: record), offset <= buffer.count - 56 else {
          throw .malformed(offset: position, reason: "the Zip64 directory lies outside the file")
        }
        var end = ByteReader(buffer, at: offset + 32)
        count = Int(clamping: try end.integer(UInt64.self))
        _ = try end.integer(UInt64.self)
        start = Int(clamping: try end.integer(UInt64.self))
      }
    }
    // An entry of the directory takes at least 46 bytes.
    guard start <= buffer.count, count <= (buffer.count - start) / 46 else {
      throw .malformed(offset: position, reason: "the zip directory does not fit into the file")
    }
    return (start, count)
  }

  private static func readEntry(
    _ reader: inout ByteReader
  ) throws(PickleError) -> (String, Entry) {
    let start = reader.offset
    guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
      throw .malformed(offset: start, reason: "the zip directory is damaged")
    }
    _ = try reader.bytes(6)
    let method = try reader.integer(UInt16.self)
    _ = try reader.bytes(8)
    var entry = Entry(method: method, header: 0, size: 0, packedSize: 0)
    entry.packedSize = UInt64(try reader.integer(UInt32.self))
    entry.size = UInt64(try reader.integer(UInt32.self))
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    _ = try reader.bytes(8)
    entry.header = UInt64(try reader.integer(UInt32.self))
    let name = String(decoding: try reader.bytes(nameLength).array, as: UTF8.self)
    try readZip64(&entry, try reader.bytes(extraLength))
    _ = try reader.bytes(commentLength)
    return (name, entry)
  }

  /// Replaces the fields that say 0xFFFFFFFF by the 64-bit ones of the extra field 1.
  private static func readZip64(
    _ entry: inout Entry,
    _ extra: PickleBuffer
  ) throws(PickleError) {
    var reader = ByteReader(extra, at: 0)
    while reader.remaining >= 4 {
      let id = try reader.integer(UInt16.self)
      let field = try reader.bytes(try reader.length(UInt16.self))
      guard id == 1 else { continue }
      var values = ByteReader(field, at: 0)
      let unknown = UInt64(UInt32.max)
      if entry.size == unknown { entry.size = try values.integer(UInt64.self) }
      if entry.packedSize == unknown { entry.packedSize = try values.integer(UInt64.self) }
      if entry.header == unknown { entry.header = try values.integer(UInt64.self) }
    }
  }
}
