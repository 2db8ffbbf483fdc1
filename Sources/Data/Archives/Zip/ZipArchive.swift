package import Files
import Glibc

/// A zip archive mapped for reading: opening costs one pass over its directory, whatever its size.
///
/// Entries are kept in the order of their names' bytes, which for ASCII is Python's `sorted`. Sizes and
/// positions are checked before bytes are handed out, checksums unless the caller declines. Safe to
/// use from any thread.
package final class ZipArchive: Sendable {
  /// The archive's path.
  package let path: String
  /// Bytes of the file before and behind the archive.
  package let surplus: Int
  /// Number of entries.
  package var count: Int { records.count }

  private let file: MappedBytes
  /// Where the directory's record of each entry starts.
  private let records: [Int]
  private let directory: Range<Int>

  /// What becomes of entries that share a name.
  package enum RepeatedNames: Sendable {
    /// The archive is refused: readers differ in which entry they take.
    case refused
    /// The last one counts, as for Python's `zipfile`.
    case lastCounts
  }

  /// Maps an archive and reads its directory.
  ///
  /// - Parameters:
  ///   - path: The archive.
  ///   - allowsSurplus: Whether bytes before and behind it are skipped, and counted; else they are damage.
  /// - Throws: `ArchiveError` when it is no zip, or its directory is damaged.
  package convenience init(_ path: String, allowsSurplus: Bool = false) throws(ArchiveError) {
    let file = try MappedBytes.archive(path)
    let range = allowsSurplus ? ZipDirectory.range(in: file.bytes) : 0..<file.count
    try self.init(file.slice(range), path: path, surplus: file.count - range.count)
  }

  /// Reads the directory of an archive.
  ///
  /// - Parameters:
  ///   - file: The whole archive.
  ///   - path: Where it came from, for error messages.
  ///   - repeatedNames: What becomes of entries that share a name.
  ///   - surplus: Bytes of the file that are no part of the archive.
  /// - Throws: `ArchiveError` when it is no zip, or its directory is damaged.
  package init(
    _ file: MappedBytes,
    path: String,
    repeatedNames: RepeatedNames = .refused,
    surplus: Int = 0
  ) throws(ArchiveError) {
    self.surplus = surplus
    self.path = path
    self.file = file
    let directory: ZipDirectory
    do throws(ZipDirectory.Damage) {
      directory = try ZipDirectory(file.bytes)
    } catch {
      let kind = FileKind.guess(file.bytes).flatMap { $0.hasPrefix("a zip") ? nil : $0 }
      throw .notAZip(path: path, reason: kind.map { "it looks like \($0)" } ?? error.reason)
    }
    self.directory = directory.start..<directory.end
    let sorted = Self.sorted(directory.records, in: file.bytes)
    switch repeatedNames {
    case .refused:
      records = sorted
      for index in records.indices.dropFirst()
      where Self.order(records[index - 1], records[index], in: file.bytes) == 0 {
        throw .notAZip(path: path, reason: "two entries are called \(name(at: index))")
      }
    case .lastCounts:
      records = sorted.indices.filter { index in
        index + 1 == sorted.count
          || Self.order(sorted[index], sorted[index + 1], in: file.bytes) != 0
      }
      .map { sorted[$0] }
    }
  }

  /// The size of the whole archive in bytes.
  package var fileSize: Int { file.count }

  /// CRC-32 of the directory, which holds the name, size and CRC-32 of every entry.
  package var directoryChecksum: UInt32 { CRC32.of(.init(rebasing: file.bytes[directory])) }

  /// The name of an entry.
  package func name(at index: Int) -> String {
    String(decoding: nameBytes(at: index), as: UTF8.self)
  }

  /// The bytes of an entry's name; valid while the archive lives.
  package func nameBytes(at index: Int) -> UnsafeRawBufferPointer {
    ZipDirectory.name(file.bytes, at: records[index])
  }

  /// The checksum that the directory states for an entry.
  package func checksum(at index: Int) -> UInt32 { entry(at: index).crc }

  /// The size of an entry in bytes, uncompressed.
  package func size(at index: Int) -> Int { entry(at: index).size }

  /// Whether an entry is a symbolic link, whose bytes are the path it leads to, as `zip -y` stores it.
  package func isLink(_ index: Int) -> Bool {
    let record = records[index]
    let (unix, kind, link) = (UInt8(3), UInt32(0o170_000), UInt32(0o120_000))
    return file.bytes[record + 5] == unix
      && file.bytes.littleEndian(UInt32.self, at: record + 38) >> 16 & kind == link
  }

  /// Whether an entry is stored uncompressed, so that it can be read in place.
  package func isStored(_ index: Int) -> Bool { entry(at: index).method == 0 }

  /// The index of the entry with this name, by binary search.
  package func index(of name: String) -> Int? {
    var name = name
    return name.withUTF8 { index(ofName: UnsafeRawBufferPointer($0)) }
  }

  /// The index of the entry whose name has these bytes.
  package func index(ofName name: UnsafeRawBufferPointer) -> Int? {
    var (low, high) = (0, records.count)
    while low < high {
      let middle = (low + high) / 2
      let order = Self.order(nameBytes(at: middle), name)
      if order == 0 { return middle }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The entry whose name comes first in the directory, of those that `matches` accepts.
  package func firstIndex(where matches: (UnsafeRawBufferPointer) -> Bool) -> Int? {
    var record = directory.lowerBound
    while record < directory.upperBound {
      let name = ZipDirectory.name(file.bytes, at: record)
      if matches(name) { return index(ofName: name) }
      record = ZipDirectory.recordEnd(file.bytes, at: record)
    }
    return nil
  }

  /// The bytes of an entry, without a copy.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - verifying: Whether to compare the checksum, which reads every byte once.
  /// - Returns: The bytes, in place.
  /// - Throws: `ArchiveError` when the entry is compressed, encrypted or damaged.
  package func bytes(at index: Int, verifying: Bool = true) throws(ArchiveError) -> MappedBytes {
    let entry = entry(at: index)
    if entry.flags & 1 == 1 { throw unsupported(index, Self.encrypted) }
    if entry.method != 0 {
      throw unsupported(index, "it is compressed (method \(entry.method)); re-zip with zip -0")
    }
    let range = try dataRange(of: entry, at: index)
    let bytes = file.slice(range)
    if verifying, bytes.withBytes(CRC32.of) != entry.crc {
      throw damaged(index, "its checksum differs")
    }
    return bytes
  }

  /// The bytes of an entry, copied, decompressed where need be, and compared with its checksum.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - limit: An entry that states more bytes is refused before any are allocated.
  /// - Returns: The bytes, uncompressed.
  /// - Throws: `ArchiveError` when the entry is encrypted, too large or damaged.
  package func contents(at index: Int, limit: Int) throws(ArchiveError) -> [UInt8] {
    let entry = entry(at: index)
    guard entry.size <= limit else {
      let most = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit) bytes"
      throw unsupported(index, "it is larger than \(most)")
    }
    if entry.method == 0 { return try bytes(at: index).withBytes { Array($0) } }
    if entry.flags & 1 == 1 { throw unsupported(index, Self.encrypted) }
    guard entry.method == 8 else {
      throw unsupported(
        index,
        "its compression (method \(entry.method)) is not deflate; unpack it, or zip it again"
      )
    }
    let packed = file.slice(try dataRange(of: entry, at: index))
    do throws(Inflater.Damage) {
      let contents = try Inflater(packed, form: .raw).read(entry.size)
      guard contents.count == entry.size, contents.withUnsafeBytes(CRC32.of) == entry.crc else {
        throw Inflater.Damage(reason: "its checksum differs")
      }
      return contents
    } catch {
      throw damaged(index, error.reason)
    }
  }

  /// The directory's records of the first entries, and where the bytes of the next entry begin.
  ///
  /// Only in an archive whose directory is in the order of names, as ours are.
  package func beginning(_ count: Int) -> (directory: [UInt8], size: Int) {
    precondition(count < records.count, "\(count) of \(records.count) entries")
    let end = records[count]
    return (Array(file.bytes[directory.lowerBound..<end]), entry(at: count).headerStart)
  }

  /// Compares the checksum of every entry and keeps little of the file in memory meanwhile.
  package func verifyChecksums() throws(ArchiveError) {
    var (start, read) = (0, 0)
    for index in 0..<count {
      let header = entry(at: index).headerStart
      read += try bytes(at: index).withBytes { $0.count }
      // In an archive in the order of names all before this entry is done with.
      if read >= 64 << 20 {
        file.release(start..<max(start, header))
        (start, read) = (header, 0)
      }
    }
  }

  /// Tells the system that entries will be read in no particular order.
  package func adviseRandomAccess() { file.adviseRandomAccess() }

  private static let encrypted = "it is encrypted; unpack it with its password, and pack the folder"

  private func dataRange(
    of entry: ZipDirectory.Entry,
    at index: Int
  ) throws(ArchiveError) -> Range<Int> {
    let bytes = file.bytes
    let header = entry.headerStart
    guard header <= directory.lowerBound - 30,
      bytes.littleEndian(UInt32.self, at: header) == 0x0403_4b50
    else { throw damaged(index, "it has no local header") }
    let nameLength = Int(bytes.littleEndian(UInt16.self, at: header + 26))
    let extraLength = Int(bytes.littleEndian(UInt16.self, at: header + 28))
    let start = header + 30 + nameLength + extraLength
    guard entry.method != 0 || entry.size == entry.compressedSize, start <= directory.lowerBound,
      entry.compressedSize <= directory.lowerBound - start
    else { throw damaged(index, "its bytes lie outside of the file") }
    let localName = bytes.slice(header + 30..<header + 30 + nameLength)
    guard Self.order(localName, nameBytes(at: index)) == 0 else {
      throw damaged(index, "its local header carries another name")
    }
    return start..<start + entry.compressedSize
  }

  private func unsupported(_ index: Int, _ reason: String) -> ArchiveError {
    .unsupported(path: path, entry: name(at: index), reason: reason)
  }

  private func damaged(_ index: Int, _ reason: String) -> ArchiveError {
    .damaged(path: path, entry: name(at: index), reason: reason)
  }

  private func entry(at index: Int) -> ZipDirectory.Entry {
    ZipDirectory.entry(file.bytes, at: records[index], limit: directory.upperBound)
  }

  private static func sorted(_ records: [Int], in bytes: UnsafeRawBufferPointer) -> [Int] {
    // nifty's own archives are sorted, LAFITE's nearly: do not sort a million names for nothing.
    let isSorted = records.indices.dropFirst().allSatisfy {
      order(records[$0 - 1], records[$0], in: bytes) <= 0
    }
    if isSorted { return records }
    // Of equal names the later record stays behind the earlier one.
    return records.sorted { left, right in
      let order = order(left, right, in: bytes)
      return order == 0 ? left < right : order < 0
    }
  }

  private static func order(_ left: Int, _ right: Int, in bytes: UnsafeRawBufferPointer) -> Int {
    order(ZipDirectory.name(bytes, at: left), ZipDirectory.name(bytes, at: right))
  }

  /// Negative, zero or positive as `left` sorts before, with or after `right`.
  private static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int
  {
    if let leftBase = left.baseAddress, let rightBase = right.baseAddress {
      let order = memcmp(leftBase, rightBase, min(left.count, right.count))
      if order != 0 { return Int(order) }
    }
    return left.count - right.count
  }
}
