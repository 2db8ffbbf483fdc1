import Files
import Synchronization

/// The last entry of a large archive: where each block of 64 records of the directory lies.
///
/// With it an archive opens without a pass over its directory, which has some 90 bytes an entry. The rows of
/// the `.npy` array [B + 1, 2] are the offset of a block from the directory's start and the block's CRC-32;
/// the last row is where the records end, and their number. Names ascend strictly, and the index's own, which
/// comes last, is not counted. What the directory says is checked when a record is asked for.
final class ZipIndex: Sendable {
  /// Number of records before the index's own.
  let count: Int
  /// The record of the index itself.
  let ownRecord: Int
  /// CRC-32 of the index, which holds the checksums of all blocks.
  let checksum: UInt32

  private let file: MappedBytes
  private let rows: NpyArray
  /// Where the directory starts in the file.
  private let start: Int
  /// The block whose checksum was right when it was last asked for.
  private let verified = Atomic<Int>(-1)

  static let entryName = "nifty.offsets.npy"
  static let blockSize = 64

  /// Finds the index of an archive; `nil` if there is none that fits its directory.
  init?(_ file: MappedBytes, directory: ZipDirectory.Place) {
    guard let record = Self.findRecord(in: file.bytes, directory),
      let rows = Self.rows(of: record, in: file, directory)
    else { return nil }
    self.file = file
    self.rows = rows.array
    checksum = rows.checksum
    start = directory.start
    count = directory.count - 1
    ownRecord = record
    guard isWhole else { return nil }
  }

  /// Where the record of an entry starts in the file; `nil` if the directory is not what the index says.
  func record(at index: Int) -> Int? {
    if index == count { return ownRecord }
    let block = index / Self.blockSize
    let range = range(ofBlock: block)
    if verified.load(ordering: .relaxed) != block {
      let checksum = file.withBytes { CRC32.of(UnsafeRawBufferPointer(rebasing: $0[range])) }
      guard rows.integer(row: block, column: 1) == Int(checksum) else { return nil }
      verified.store(block, ordering: .relaxed)
    }
    var record = range.lowerBound
    for _ in 0..<index % Self.blockSize {
      guard range.upperBound - record >= 46 else { return nil }
      record = ZipDirectory.recordEnd(file.bytes, at: record)
    }
    guard range.upperBound - record >= 46,
      ZipDirectory.recordEnd(file.bytes, at: record) <= range.upperBound
    else { return nil }
    return record
  }

  /// Compares the index with the whole directory.
  ///
  /// - Returns: What is wrong, in words; `nil` if they agree.
  func fault() -> String? {
    let records = file.bytes.slice(start..<ownRecord)
    guard let expected = Self.encoded(records) else {
      return "the names of the directory do not ascend"
    }
    let stated = NpyHeader(element: .int64, shape: [rows.rows, 2]).encoded.count
    guard expected.count == stated + 16 * rows.rows else {
      return "it has another number of entries"
    }
    let found = expected.withUnsafeBytes { bytes in
      (0..<rows.rows).first { row in
        (0..<2).contains { column in
          let value = bytes.littleEndian(UInt64.self, at: stated + 16 * row + 8 * column)
          return rows.integer(row: row, column: column) != Int(truncatingIfNeeded: value)
        }
      }
    }
    return found.map { "it differs from the directory at entry \($0 * Self.blockSize + 1)" }
  }

  /// The index of a directory's records.
  ///
  /// - Returns: The array as an `.npy` file; `nil` unless the names ascend strictly, all before the index's own.
  static func encoded(_ directory: UnsafeRawBufferPointer) -> [UInt8]? {
    var (rows, count, position, blockStart) = ([Int](), 0, 0, 0)
    var last: UnsafeRawBufferPointer?
    func closeBlock() {
      guard position > blockStart else { return }
      rows += [blockStart, Int(CRC32.of(directory.slice(blockStart..<position)))]
      blockStart = position
    }
    while directory.count - position >= 46 {
      let end = ZipDirectory.recordEnd(directory, at: position)
      guard end <= directory.count else { return nil }
      let name = ZipDirectory.name(directory, at: position)
      if let last, ZipDirectory.order(last, name) >= 0 { return nil }
      last = name
      position = end
      count += 1
      if count % blockSize == 0 { closeBlock() }
    }
    closeBlock()
    let own = Array(entryName.utf8)
    let ascends = own.withUnsafeBytes { own in last.map { ZipDirectory.order($0, own) < 0 } ?? false
    }
    guard position == directory.count, ascends else { return nil }
    rows += [position, count]
    var bytes = NpyHeader(element: .int64, shape: [rows.count / 2, 2]).encoded
    bytes.reserveCapacity(bytes.count + 8 * rows.count)
    for value in rows { bytes.append(littleEndian: Int64(value)) }
    return bytes
  }

  /// The record of the index: the last of the directory.
  private static func findRecord(
    in bytes: UnsafeRawBufferPointer,
    _ directory: ZipDirectory.Place
  ) -> Int? {
    let name = Array(entryName.utf8)
    let end = directory.start + directory.size
    // A record is longer where the entry lies behind the first 4 GiB.
    return [46 + name.count, 46 + name.count + 12].map { end - $0 }.first { record in
      record >= directory.start && bytes.littleEndian(UInt32.self, at: record) == 0x0201_4b50
        && ZipDirectory.recordEnd(bytes, at: record) == end
        && bytes.littleEndian(UInt16.self, at: record + 28) == UInt16(name.count)
        && ZipDirectory.name(bytes, at: record).elementsEqual(name)
    }
  }

  private static func rows(
    of record: Int,
    in file: MappedBytes,
    _ directory: ZipDirectory.Place
  ) -> (array: NpyArray, checksum: UInt32)? {
    let bytes = file.bytes
    let end = directory.start + directory.size
    guard let entry = ZipDirectory.entry(bytes, at: record, limit: end), entry.method == 0 else {
      return nil
    }
    let name = ZipDirectory.name(bytes, at: record)
    do {
      let range = try ZipDirectory.dataRange(
        of: entry,
        name: name,
        in: bytes,
        before: directory.start
      )
      let data = file.slice(range)
      guard data.withBytes(CRC32.of) == entry.crc else { return nil }
      let array = try NpyArray(data, path: "", entry: entryName)
      let fits = array.element == .int64 && array.columns == 2 && array.rows >= 2
      return fits ? (array, entry.crc) : nil
    } catch {
      // Whatever is wrong with it, the directory itself can be read; `fault` of a check tells.
      return nil
    }
  }

  /// Whether the rows are those of `count` records that end where the index's own begins, block by block.
  private var isWhole: Bool {
    let blocks = rows.rows - 1
    guard count > 0, blocks == (count + Self.blockSize - 1) / Self.blockSize,
      rows.integer(row: 0) == 0, rows.integer(row: blocks) == ownRecord - start,
      rows.integer(row: blocks, column: 1) == count
    else { return false }
    return (0..<blocks).allSatisfy { rows.integer(row: $0) < rows.integer(row: $0 + 1) }
  }

  private func range(ofBlock block: Int) -> Range<Int> {
    start + rows.integer(row: block)..<start + rows.integer(row: block + 1)
  }
}
