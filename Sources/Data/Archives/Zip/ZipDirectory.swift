import Files
import Glibc

/// The central directory of a zip archive, read from hostile bytes (APPNOTE 4.3.12–4.3.16).
struct ZipDirectory {
  /// One entry as the directory describes it; nothing in it has been compared with the entry
  /// itself.
  struct Entry: Sendable {
    /// Where the local header should lie.
    var headerStart: Int
    var compressedSize: Int
    var size: Int
    var crc: UInt32
    /// 0 stored, 8 deflated.
    var method: UInt16
    var flags: UInt16
  }

  /// What is wrong with the directory.
  struct Damage: Error { var reason: String }

  /// Where a directory lies in its file, and how many entries it states.
  struct Place {
    var start: Int
    var size: Int
    var count: Int
  }

  /// Where each entry's record starts in the file, in the directory's order.
  ///
  /// Eight bytes an entry: everything else is read from the mapped directory when it is needed.
  private(set) var records: [Int] = []
  /// Where the last record ends.
  private(set) var end = 0
  /// Where the directory starts: every entry's data must end before it.
  private(set) var start = 0

  private static let limit32 = Int(UInt32.max)

  /// Reads the directory of a whole archive.
  ///
  /// Memory is bounded by the file: every entry counted has at least 46 bytes of directory.
  init(_ bytes: UnsafeRawBufferPointer, at place: Place) throws(Damage) {
    start = place.start
    records.reserveCapacity(place.count)
    var position = start
    for _ in 0..<place.count {
      records.append(position)
      position = try Self.readEntry(bytes, at: position, limit: start + place.size).next
    }
    end = position
  }

  /// Finds the directory by the record at the archive's end.
  static func locate(_ bytes: UnsafeRawBufferPointer) throws(Damage) -> Place {
    let end = try findEnd(bytes)
    let disk = bytes.littleEndian(UInt16.self, at: end + 4)
    if disk != 0, disk != .max {
      throw Damage(reason: "it is one part of a split archive; join the parts by zip -s 0")
    }
    var count = Int(bytes.littleEndian(UInt16.self, at: end + 10))
    var size = Int(bytes.littleEndian(UInt32.self, at: end + 12))
    var start = Int(bytes.littleEndian(UInt32.self, at: end + 16))
    var limit = end
    if count == Int(UInt16.max) || size == limit32 || start == limit32,
      let record = try findZip64End(bytes, before: end)
    {
      count = try length(bytes, at: record + 32)
      size = try length(bytes, at: record + 40)
      start = try length(bytes, at: record + 48)
      limit = record
    }
    guard start <= limit, size <= limit - start, count <= min(size / 46, Int(Int32.max)) else {
      throw Damage(reason: "its directory lies outside of the file (truncated download?)")
    }
    return Place(start: start, size: size, count: count)
  }

  /// The entry that a record describes; `nil` if it is damaged.
  static func entry(_ bytes: UnsafeRawBufferPointer, at record: Int, limit: Int) -> Entry? {
    do throws(Damage) { return try readEntry(bytes, at: record, limit: limit).0 } catch {
      return nil
    }
  }

  /// Where an entry's bytes lie, which its local header must confirm.
  ///
  /// - Parameters:
  ///   - entry: The entry.
  ///   - name: Its name in the directory.
  ///   - bytes: The archive.
  ///   - limit: Where the directory starts.
  /// - Returns: Their range in the archive.
  /// - Throws: What is wrong with the local header.
  static func dataRange(
    of entry: Entry,
    name: UnsafeRawBufferPointer,
    in bytes: UnsafeRawBufferPointer,
    before limit: Int
  ) throws(Damage) -> Range<Int> {
    let header = entry.headerStart
    guard header <= limit - 30, bytes.littleEndian(UInt32.self, at: header) == 0x0403_4b50 else {
      throw Damage(reason: "it has no local header")
    }
    let nameLength = Int(bytes.littleEndian(UInt16.self, at: header + 26))
    let start = header + 30 + nameLength + Int(bytes.littleEndian(UInt16.self, at: header + 28))
    guard entry.method != 0 || entry.size == entry.compressedSize, start <= limit,
      entry.compressedSize <= limit - start
    else { throw Damage(reason: "its bytes lie outside of the file") }
    guard order(bytes.slice(header + 30..<header + 30 + nameLength), name) == 0 else {
      throw Damage(reason: "its local header carries another name")
    }
    return start..<start + entry.compressedSize
  }

  /// Negative, zero or positive as `left` sorts before, with or after `right`, by their bytes.
  static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    if let leftBase = left.baseAddress, let rightBase = right.baseAddress {
      let order = memcmp(leftBase, rightBase, min(left.count, right.count))
      if order != 0 { return Int(order) }
    }
    return left.count - right.count
  }

  /// The name in a record that `init` has read before.
  static func name(_ bytes: UnsafeRawBufferPointer, at record: Int) -> UnsafeRawBufferPointer {
    let length = Int(bytes.littleEndian(UInt16.self, at: record + 28))
    return bytes.slice(record + 46..<record + 46 + length)
  }

  /// Where a record ends that `init` has read before.
  static func recordEnd(_ bytes: UnsafeRawBufferPointer, at record: Int) -> Int {
    record + 46 + Int(bytes.littleEndian(UInt16.self, at: record + 28))
      + Int(bytes.littleEndian(UInt16.self, at: record + 30))
      + Int(bytes.littleEndian(UInt16.self, at: record + 32))
  }

  /// The part of a file that is the archive, without bytes before its first entry and behind its end.
  ///
  /// Python's `zipfile` reads such files, too: a program that unpacks itself, a download with a line end.
  static func range(in bytes: UnsafeRawBufferPointer) -> Range<Int> {
    let whole = 0..<bytes.count
    guard bytes.count >= 22, (try? findEnd(bytes)) == nil || prefix(in: bytes) != 0 else {
      return whole
    }
    let last = bytes.count - 22
    for position in stride(from: last, through: max(0, last - 2 * Int(UInt16.max)), by: -1)
    where bytes[position] == 0x50 && bytes.littleEndian(UInt32.self, at: position) == 0x0605_4b50 {
      let end = position + 22 + Int(bytes.littleEndian(UInt16.self, at: position + 20))
      guard end <= bytes.count else { continue }
      return prefix(in: bytes.slice(0..<end))..<end
    }
    return whole
  }

  /// The bytes before the archive: as many as its directory lies behind where it says, if it is not there; 0
  /// with Zip64.
  private static func prefix(in bytes: UnsafeRawBufferPointer) -> Int {
    guard let end = try? findEnd(bytes) else { return 0 }
    let size = Int(bytes.littleEndian(UInt32.self, at: end + 12))
    let start = Int(bytes.littleEndian(UInt32.self, at: end + 16))
    guard size < limit32, start < limit32, end - size - start > 0,
      // Something else may lie between a directory that is in its place and the end.
      bytes.littleEndian(UInt32.self, at: start) != 0x0201_4b50,
      (try? findZip64End(bytes, before: end)) == Int?.none
    else { return 0 }
    return end - size - start
  }

  private static func findEnd(_ bytes: UnsafeRawBufferPointer) throws(Damage) -> Int {
    guard bytes.count >= 22 else { throw Damage(reason: "only \(bytes.count) bytes") }
    let last = bytes.count - 22
    for position in stride(from: last, through: max(0, last - Int(UInt16.max)), by: -1)
    where bytes[position] == 0x50 && bytes.littleEndian(UInt32.self, at: position) == 0x0605_4b50 {
      let commentLength = Int(bytes.littleEndian(UInt16.self, at: position + 20))
      if position + 22 + commentLength == bytes.count { return position }
    }
    throw Damage(reason: "no end-of-directory record (not a zip, or a truncated download)")
  }

  private static func findZip64End(
    _ bytes: UnsafeRawBufferPointer,
    before end: Int
  ) throws(Damage) -> Int? {
    let locator = end - 20
    guard locator >= 0, bytes.littleEndian(UInt32.self, at: locator) == 0x0706_4b50 else {
      return nil
    }
    let record = try length(bytes, at: locator + 8)
    guard record <= locator - 56, bytes.littleEndian(UInt32.self, at: record) == 0x0606_4b50 else {
      throw Damage(reason: "its Zip64 end-of-directory record is damaged")
    }
    return record
  }

  private static func readEntry(
    _ bytes: UnsafeRawBufferPointer,
    at position: Int,
    limit: Int
  ) throws(Damage) -> (Entry, next: Int) {
    guard limit - position >= 46, bytes.littleEndian(UInt32.self, at: position) == 0x0201_4b50
    else { throw Damage(reason: "its directory is damaged at byte \(position)") }
    let nameLength = Int(bytes.littleEndian(UInt16.self, at: position + 28))
    let extraLength = Int(bytes.littleEndian(UInt16.self, at: position + 30))
    let commentLength = Int(bytes.littleEndian(UInt16.self, at: position + 32))
    let extraStart = position + 46 + nameLength
    let next = extraStart + extraLength + commentLength
    guard next <= limit else {
      throw Damage(reason: "its directory is damaged at byte \(position)")
    }
    var entry = Entry(
      headerStart: Int(bytes.littleEndian(UInt32.self, at: position + 42)),
      compressedSize: Int(bytes.littleEndian(UInt32.self, at: position + 20)),
      size: Int(bytes.littleEndian(UInt32.self, at: position + 24)),
      crc: bytes.littleEndian(UInt32.self, at: position + 16),
      method: bytes.littleEndian(UInt16.self, at: position + 10),
      flags: bytes.littleEndian(UInt16.self, at: position + 8)
    )
    try readZip64Extra(bytes.slice(extraStart..<extraStart + extraLength), into: &entry)
    return (entry, next)
  }

  /// Replaces the fields that did not fit into 32 bits by those of the Zip64 extra field.
  private static func readZip64Extra(
    _ extra: UnsafeRawBufferPointer,
    into entry: inout Entry
  ) throws(Damage) {
    var position = 0
    while extra.count - position >= 4 {
      let id = extra.littleEndian(UInt16.self, at: position)
      let length = Int(extra.littleEndian(UInt16.self, at: position + 2))
      position += 4
      guard length <= extra.count - position else { return }
      if id == 1 {
        var fields = extra.slice(position..<position + length)
        for field in [\Entry.size, \Entry.compressedSize, \Entry.headerStart]
        where entry[keyPath: field] == limit32 {
          guard fields.count >= 8 else { throw Damage(reason: "a Zip64 field is missing") }
          entry[keyPath: field] = try Self.length(fields, at: 0)
          fields = fields.slice(8..<fields.count)
        }
        return
      }
      position += length
    }
  }

  private static func length(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Damage) -> Int
  {
    guard let value = Int(exactly: bytes.littleEndian(UInt64.self, at: offset)) else {
      throw Damage(reason: "a length in it does not fit into 63 bits")
    }
    return value
  }
}
