package import Files

/// A zip archive mapped for reading: opening costs one pass over its directory, or none with an index.
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
  package var count: Int {
    switch records {
    case .listed(let records): records.count
    case .indexed(let index): index.count + 1
    }
  }

  /// Whether the directory was not read when the archive was opened, but is by an index when need be.
  package var isIndexed: Bool { if case .indexed = records { true } else { false } }

  let file: MappedBytes
  private let records: Records
  let directory: Range<Int>

  /// Where the directory's record of each entry starts.
  private enum Records {
    case listed([Int])
    case indexed(ZipIndex)
  }

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
  ///   - usesIndex: Whether an index in the archive replaces the pass over its directory. Damage of a record
  ///     is found when its entry is asked for.
  /// - Throws: `ArchiveError` when it is no zip, or its directory is damaged.
  package convenience init(
    _ path: String,
    allowsSurplus: Bool = false,
    usesIndex: Bool = false
  ) throws(ArchiveError) {
    let file = try MappedBytes.archive(path)
    let range = allowsSurplus ? ZipDirectory.range(in: file.bytes) : 0..<file.count
    try self.init(
      file.slice(range),
      path: path,
      surplus: file.count - range.count,
      usesIndex: usesIndex
    )
  }

  /// Reads the directory of an archive.
  ///
  /// - Parameters:
  ///   - file: The whole archive.
  ///   - path: Where it came from, for error messages.
  ///   - repeatedNames: What becomes of entries that share a name.
  ///   - surplus: Bytes of the file that are no part of the archive.
  ///   - usesIndex: Whether an index in the archive replaces the pass over its directory.
  /// - Throws: `ArchiveError` when it is no zip, or its directory is damaged.
  package init(
    _ file: MappedBytes,
    path: String,
    repeatedNames: RepeatedNames = .refused,
    surplus: Int = 0,
    usesIndex: Bool = false
  ) throws(ArchiveError) {
    self.surplus = surplus
    self.path = path
    self.file = file
    let found: ZipDirectory
    do throws(ZipDirectory.Damage) {
      let place = try ZipDirectory.locate(file.bytes)
      if usesIndex, let index = ZipIndex(file, directory: place) {
        records = .indexed(index)
        directory = place.start..<place.start + place.size
        return
      }
      found = try ZipDirectory(file.bytes, at: place)
    } catch {
      let kind = FileKind.guess(file.bytes).flatMap { $0.hasPrefix("a zip") ? nil : $0 }
      throw .notAZip(path: path, reason: kind.map { "it looks like \($0)" } ?? error.reason)
    }
    directory = found.start..<found.end
    let sorted = Self.sorted(found.records, in: file.bytes)
    let isRepeated = { (index: Int) in
      index + 1 < sorted.count && Self.order(sorted[index], sorted[index + 1], in: file.bytes) == 0
    }
    switch repeatedNames {
    case .refused:
      records = .listed(sorted)
      if let index = sorted.indices.first(where: isRepeated) {
        throw .notAZip(path: path, reason: "two entries are called \(name(at: index))")
      }
    case .lastCounts:
      records = .listed(sorted.indices.filter { !isRepeated($0) }.map { sorted[$0] })
    }
  }

  /// The size of the whole archive in bytes.
  package var fileSize: Int { file.count }

  /// CRC-32 of the directory, which holds the name, size and CRC-32 of every entry; of an indexed archive that
  /// of the index, which holds the CRC-32 of every block of the directory.
  package var directoryChecksum: UInt32 {
    if case .indexed(let index) = records { return index.checksum }
    return CRC32.of(.init(rebasing: file.bytes[directory]))
  }

  /// Compares the index of an indexed archive with its directory.
  ///
  /// - Returns: The index's name and what is wrong, in words; `nil` if they agree, or there is no index.
  package func indexFault() -> (entry: String, reason: String)? {
    guard case .indexed(let index) = records else { return nil }
    return index.fault().map { (ZipIndex.entryName, $0) }
  }

  /// The name of an entry.
  package func name(at index: Int) -> String {
    String(decoding: nameBytes(at: index), as: UTF8.self)
  }

  /// The bytes of an entry's name, valid while the archive lives; none if its record is damaged.
  package func nameBytes(at index: Int) -> UnsafeRawBufferPointer {
    record(at: index).map { ZipDirectory.name(file.bytes, at: $0) }
      ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The checksum that the directory states for an entry; 0 if its record is damaged.
  package func checksum(at index: Int) -> UInt32 { entry(at: index)?.crc ?? 0 }

  /// The size of an entry in bytes, uncompressed; 0 if its record is damaged.
  package func size(at index: Int) -> Int { entry(at: index)?.size ?? 0 }

  /// Whether an entry is a symbolic link, whose bytes are the path it leads to, as `zip -y` stores it.
  package func isLink(_ index: Int) -> Bool {
    guard let record = record(at: index) else { return false }
    let (unix, kind, link) = (UInt8(3), UInt32(0o170_000), UInt32(0o120_000))
    return file.bytes[record + 5] == unix
      && file.bytes.littleEndian(UInt32.self, at: record + 38) >> 16 & kind == link
  }

  /// Whether an entry is stored uncompressed, so that it can be read in place.
  package func isStored(_ index: Int) -> Bool { entry(at: index)?.method == 0 }

  /// The index of the entry with this name, by binary search.
  package func index(of name: String) -> Int? {
    var name = name
    return name.withUTF8 { index(ofName: UnsafeRawBufferPointer($0)) }
  }

  /// The index of the entry whose name has these bytes.
  package func index(ofName name: UnsafeRawBufferPointer) -> Int? {
    var (low, high) = (0, count)
    // What is asked for are mostly the last entries, behind all images. Each probe elsewhere brings pages of
    // the directory into the memory.
    var distance = 1
    while distance < count {
      let order = ZipDirectory.order(nameBytes(at: count - distance), name)
      if order == 0 { return count - distance }
      if order < 0 {
        low = count - distance + 1
        break
      }
      high = count - distance
      distance *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      let order = ZipDirectory.order(nameBytes(at: middle), name)
      if order == 0 { return middle }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The entry whose name comes first in the directory, of those that `matches` accepts.
  package func firstIndex(where matches: (UnsafeRawBufferPointer) -> Bool) -> Int? {
    // The records of an indexed archive are in the order of names.
    guard case .listed = records else { return (0..<count).first { matches(nameBytes(at: $0)) } }
    var record = directory.lowerBound
    while record < directory.upperBound {
      let name = ZipDirectory.name(file.bytes, at: record)
      if matches(name) { return index(ofName: name) }
      record = ZipDirectory.recordEnd(file.bytes, at: record)
    }
    return nil
  }

  /// The directory's records of the first entries, and where the bytes of the next entry begin.
  ///
  /// Only in an archive whose directory is in the order of names, as ours are.
  /// - Throws: `ArchiveError` if the record of the next entry is damaged.
  package func beginning(
    _ count: Int
  ) throws(ArchiveError) -> (directory: [UInt8], size: Int) {
    precondition(count < self.count, "\(count) of \(self.count) entries")
    guard let end = record(at: count) else { throw damagedRecord(count) }
    let size = try checkedEntry(at: count).headerStart
    return (Array(file.bytes[directory.lowerBound..<end]), size)
  }

  /// Tells the system that entries will be read in no particular order.
  package func adviseRandomAccess() { file.adviseRandomAccess() }

  func damagedRecord(_ index: Int) -> ArchiveError {
    let reason = "the directory's record of entry \(index + 1) is damaged"
    return .notAZip(path: path, reason: reason)
  }

  func checkedEntry(at index: Int) throws(ArchiveError) -> ZipDirectory.Entry {
    guard let entry = entry(at: index) else { throw damagedRecord(index) }
    return entry
  }

  private func entry(at index: Int) -> ZipDirectory.Entry? {
    record(at: index).flatMap {
      ZipDirectory.entry(file.bytes, at: $0, limit: directory.upperBound)
    }
  }

  /// Where the record of an entry starts; `nil` if an index leads to damage.
  private func record(at index: Int) -> Int? {
    switch records {
    case .listed(let records): records[index]
    case .indexed(let zipIndex): zipIndex.record(at: index)
    }
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
    ZipDirectory.order(ZipDirectory.name(bytes, at: left), ZipDirectory.name(bytes, at: right))
  }
}
