import Files
import Glibc

/// A zip archive mapped for reading: opening costs one pass over its directory, whatever its size.
///
/// Entries are kept in the order of their names' bytes, which for ASCII is Python's `sorted`. Only
/// stored entries can be read; sizes, positions and checksums are checked before bytes are handed
/// out. Safe to use from any thread.
package final class ZipArchive: Sendable {
  /// The archive's path.
  package let path: String
  /// Number of entries.
  package var count: Int { entries.count }

  private let file: MappedFile
  private let entries: [ZipDirectory.Entry]
  private let directoryStart: Int

  /// Maps an archive and reads its directory.
  package init(_ path: String) throws(DatasetError) {
    self.path = path
    do throws(FileError) {
      file = try MappedFile(path)
    } catch {
      throw error.code == ENOENT ? .missing(path: path) : .file(error)
    }
    let directory: ZipDirectory
    do throws(ZipDirectory.Damage) {
      directory = try ZipDirectory(file.bytes)
    } catch {
      throw .notAZip(path: path, reason: error.reason)
    }
    directoryStart = directory.start
    entries = Self.sorted(directory.entries, names: file.bytes)
    for index in entries.indices.dropFirst()
    where Self.order(entries[index - 1], entries[index], names: file.bytes) == 0 {
      throw .notAZip(path: path, reason: "two entries are called \(name(at: index))")
    }
  }

  /// The size of the whole archive in bytes.
  package var fileSize: Int { file.bytes.count }

  /// The name of an entry.
  package func name(at index: Int) -> String {
    String(decoding: nameBytes(at: index), as: UTF8.self)
  }

  /// The bytes of an entry's name; valid while the archive lives.
  func nameBytes(at index: Int) -> UnsafeRawBufferPointer {
    let entry = entries[index]
    return file.bytes.slice(entry.nameStart..<entry.nameStart + Int(entry.nameLength))
  }

  /// The checksum that the directory states for an entry.
  package func checksum(at index: Int) -> UInt32 { entries[index].crc }

  /// The size of an entry in bytes, uncompressed.
  package func size(at index: Int) -> Int { entries[index].size }

  /// Whether an entry is stored uncompressed, so that it can be read in place.
  func isStored(_ index: Int) -> Bool { entries[index].method == 0 }

  /// The index of the entry with this name, by binary search.
  package func index(of name: String) -> Int? {
    var name = name
    return name.withUTF8 { index(ofName: UnsafeRawBufferPointer($0)) }
  }

  func index(ofName name: UnsafeRawBufferPointer) -> Int? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      let order = Self.order(nameBytes(at: middle), name)
      if order == 0 { return middle }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The bytes of an entry, without a copy.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - verifying: Whether to compare the checksum, which reads every byte once.
  /// - Returns: The bytes, in place.
  /// - Throws: `DatasetError` when the entry is compressed, encrypted or damaged.
  package func bytes(at index: Int, verifying: Bool = true) throws(DatasetError) -> MappedBytes {
    let entry = entries[index]
    if entry.flags & 1 == 1 { throw unsupported(index, "it is encrypted") }
    if entry.method != 0 {
      throw unsupported(index, "it is compressed (method \(entry.method)); re-zip with zip -0")
    }
    let range = try dataRange(of: entry, at: index)
    let bytes = file.bytes.slice(range)
    if verifying, CRC32.of(bytes) != entry.crc { throw damaged(index, "its checksum differs") }
    return MappedBytes(bytes, owner: file)
  }

  /// The bytes of an entry, copied, decompressed where need be, and compared with its checksum.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - limit: An entry that states more bytes is refused before any are allocated.
  /// - Returns: The bytes, uncompressed.
  /// - Throws: `DatasetError` when the entry is encrypted, too large or damaged.
  package func contents(at index: Int, limit: Int) throws(DatasetError) -> [UInt8] {
    let entry = entries[index]
    guard entry.size <= limit else {
      throw unsupported(index, "it is larger than \(limit >> 20) MiB")
    }
    if entry.method == 0 { return try bytes(at: index).withBytes { Array($0) } }
    if entry.flags & 1 == 1 { throw unsupported(index, "it is encrypted") }
    guard entry.method == 8 else {
      throw unsupported(index, "its compression (method \(entry.method)) is not deflate")
    }
    let packed = MappedBytes(file.bytes.slice(try dataRange(of: entry, at: index)), owner: file)
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

  /// Tells the system that entries will be read in no particular order.
  package func adviseRandomAccess() { file.advise(willNeed: false) }

  private func dataRange(
    of entry: ZipDirectory.Entry,
    at index: Int
  ) throws(DatasetError) -> Range<Int> {
    let bytes = file.bytes
    let header = entry.headerStart
    guard header <= directoryStart - 30, bytes.littleEndian(UInt32.self, at: header) == 0x0403_4b50
    else { throw damaged(index, "it has no local header") }
    let nameLength = Int(bytes.littleEndian(UInt16.self, at: header + 26))
    let extraLength = Int(bytes.littleEndian(UInt16.self, at: header + 28))
    let start = header + 30 + nameLength + extraLength
    guard entry.method != 0 || entry.size == entry.compressedSize, start <= directoryStart,
      entry.compressedSize <= directoryStart - start
    else { throw damaged(index, "its bytes lie outside of the file") }
    let localName = bytes.slice(header + 30..<header + 30 + nameLength)
    guard Self.order(localName, nameBytes(at: index)) == 0 else {
      throw damaged(index, "its local header carries another name")
    }
    return start..<start + entry.compressedSize
  }

  private func unsupported(_ index: Int, _ reason: String) -> DatasetError {
    .unsupported(path: path, entry: name(at: index), reason: reason)
  }

  private func damaged(_ index: Int, _ reason: String) -> DatasetError {
    .damaged(path: path, entry: name(at: index), reason: reason)
  }

  private static func sorted(
    _ entries: [ZipDirectory.Entry],
    names: UnsafeRawBufferPointer
  ) -> [ZipDirectory.Entry] {
    // nifty's own archives are nearly sorted, LAFITE's are: do not sort a million names for
    // nothing.
    let isSorted = entries.indices.dropFirst().allSatisfy {
      order(entries[$0 - 1], entries[$0], names: names) <= 0
    }
    return isSorted ? entries : entries.sorted { order($0, $1, names: names) < 0 }
  }

  private static func order(
    _ left: ZipDirectory.Entry,
    _ right: ZipDirectory.Entry,
    names: UnsafeRawBufferPointer
  ) -> Int {
    order(
      names.slice(left.nameStart..<left.nameStart + Int(left.nameLength)),
      names.slice(right.nameStart..<right.nameStart + Int(right.nameLength))
    )
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
