package import Files

/// Writes a zip archive of stored (uncompressed) entries, with Zip64 where sizes call for it.
///
/// Entries stream to a hidden neighbour through `AtomicFile`; the archive appears under its name in
/// `finish()`. Or they go to a spool, to be continued after an interruption. Memory: one buffer and
/// about 70 bytes per entry for the directory. The same entries give the same bytes: every entry
/// carries the earliest date that zip knows, 1 January 1980.
/// Layout after PKWARE's APPNOTE 6.3.10. Not thread-safe: one writer at a time.
package final class ZipWriter {
  /// Entries written so far.
  package private(set) var count = 0

  /// The directory so far.
  package private(set) var directory: [UInt8] = []

  private let destination: Destination
  private var pending: [UInt8] = []
  private var offset = 0

  private static let bufferSize = 1 << 20
  private static let limit32 = Int(UInt32.max)
  private static let earliestDate: UInt16 = 0x21

  private enum Destination {
    case file(AtomicFile)
    case spool(SpoolFile)
  }

  /// Starts an archive.
  ///
  /// - Parameter path: The final name; its folder must exist.
  /// - Throws: `FileError` when the folder is missing or not writable.
  package init(_ path: String) throws(FileError) {
    destination = .file(try AtomicFile(path))
    pending.reserveCapacity(Self.bufferSize)
  }

  /// Goes on with an archive of which `count` entries are in a spool.
  ///
  /// - Parameters:
  ///   - spool: The archive so far; new entries are appended, also in `finish()`.
  ///   - directory: The directory of the entries in it.
  ///   - count: Their number.
  package init(continuing spool: SpoolFile, directory: [UInt8], count: Int) {
    destination = .spool(spool)
    self.directory = directory
    self.count = count
    offset = spool.size
    pending.reserveCapacity(Self.bufferSize)
  }

  /// Adds an entry; names must differ from one another.
  package func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    try add(name, header: bytes, parts: [])
  }

  /// Adds an entry made of a small header and several buffers.
  ///
  /// Every part is read twice, for the checksum and for the file; `release` is called with its number
  /// after each time.
  package func add(
    _ name: String,
    header: [UInt8],
    parts: [UnsafeRawBufferPointer],
    release: (Int) -> Void = { _ in }
  ) throws(FileError) {
    let failure: FileError? = header.withUnsafeBytes { head in
      do throws(FileError) {
        try add(name, parts: [head] + parts) { if $0 > 0 { release($0 - 1) } }
      } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }

  /// Adds an entry made of several buffers, in their order.
  package func add(
    _ name: String,
    parts: [UnsafeRawBufferPointer],
    release: (Int) -> Void = { _ in }
  ) throws(FileError) {
    let name = Array(name.utf8)
    precondition((1...Int(UInt16.max)).contains(name.count), "entry name of \(name.count) bytes")
    var crc = CRC32()
    var size = 0
    for (number, part) in parts.enumerated() {
      crc.update(part)
      size += part.count
      release(number)
    }
    let start = offset
    try put(localHeader(name, crc: crc.value, size: size))
    for (number, part) in parts.enumerated() {
      try put(part)
      release(number)
    }
    appendDirectoryEntry(name, crc: crc.value, size: size, start: start)
    count += 1
  }

  /// Where the names of the entries begin in `directory`, in order.
  package var nameStarts: [Int] {
    directory.withUnsafeBytes { bytes in
      var starts: [Int] = []
      var position = 0
      while position < bytes.count {
        starts.append(position + 46)
        position +=
          46 + Int(bytes.littleEndian(UInt16.self, at: position + 28))
          + Int(bytes.littleEndian(UInt16.self, at: position + 30))
      }
      return starts
    }
  }

  /// The name that begins at an offset of `directory`.
  package func name(at start: Int) -> String {
    directory.withUnsafeBytes { bytes in
      let length = Int(bytes.littleEndian(UInt16.self, at: start - 46 + 28))
      return String(decoding: bytes[start..<start + length], as: UTF8.self)
    }
  }

  /// Writes the directory; an archive with a name of its own appears under it.
  ///
  /// - Parameter indexed: Whether an index of the directory comes before it, with which the archive opens
  ///   without a pass over all entries. There is none unless the names ascend in the order of their bytes.
  /// - Throws: `FileError` when the disk refuses.
  package func finish(indexed: Bool = false) throws(FileError) {
    if indexed, let index = directory.withUnsafeBytes(ZipIndex.encoded) {
      try add(ZipIndex.entryName, index)
    }
    let start = offset
    let size = directory.count
    try put(directory)
    var end: [UInt8] = []
    if count >= Int(UInt16.max) || start >= Self.limit32 || size >= Self.limit32 {
      appendZip64End(to: &end, start: start, size: size)
    }
    end.append(littleEndian: 0x0605_4b50 as UInt32)
    end.append(littleEndian: 0 as UInt32)  // this disk, disk of the directory
    end.append(littleEndian: UInt16(min(count, Int(UInt16.max))))
    end.append(littleEndian: UInt16(min(count, Int(UInt16.max))))
    end.append(littleEndian: UInt32(min(size, Self.limit32)))
    end.append(littleEndian: UInt32(min(start, Self.limit32)))
    end.append(littleEndian: 0 as UInt16)  // comment
    try put(end)
    try flush()
    if case .file(let file) = destination { try file.commit() }
  }

  private func localHeader(_ name: [UInt8], crc: UInt32, size: Int) -> [UInt8] {
    let isLarge = size >= Self.limit32
    var header: [UInt8] = []
    header.reserveCapacity(50 + name.count)
    header.append(littleEndian: 0x0403_4b50 as UInt32)
    appendCommonFields(to: &header, name, isZip64: isLarge, crc: crc, size: size)
    header.append(littleEndian: (isLarge ? 20 : 0) as UInt16)
    header += name
    if isLarge {
      header.append(littleEndian: 1 as UInt16)
      header.append(littleEndian: 16 as UInt16)
      header.append(littleEndian: UInt64(size))
      header.append(littleEndian: UInt64(size))
    }
    return header
  }

  private func appendDirectoryEntry(_ name: [UInt8], crc: UInt32, size: Int, start: Int) {
    var extra: [UInt8] = []
    if size >= Self.limit32 {
      extra.append(littleEndian: UInt64(size))
      extra.append(littleEndian: UInt64(size))
    }
    if start >= Self.limit32 { extra.append(littleEndian: UInt64(start)) }
    directory.append(littleEndian: 0x0201_4b50 as UInt32)
    directory.append(littleEndian: (3 << 8 | 45) as UInt16)  // made on Unix, version 4.5
    appendCommonFields(to: &directory, name, isZip64: !extra.isEmpty, crc: crc, size: size)
    directory.append(littleEndian: UInt16(extra.isEmpty ? 0 : extra.count + 4))
    directory.append(littleEndian: 0 as UInt16)  // comment
    directory.append(littleEndian: 0 as UInt32)  // disk, internal attributes
    directory.append(littleEndian: (0o100644 << 16) as UInt32)  // a plain file, rw-r--r--
    directory.append(littleEndian: UInt32(min(start, Self.limit32)))
    directory += name
    if !extra.isEmpty {
      directory.append(littleEndian: 1 as UInt16)
      directory.append(littleEndian: UInt16(extra.count))
      directory += extra
    }
  }

  /// The fields that the local header and the directory share: version to name length.
  private func appendCommonFields(
    to header: inout [UInt8],
    _ name: [UInt8],
    isZip64: Bool,
    crc: UInt32,
    size: Int
  ) {
    let isASCII = name.allSatisfy { $0 < 0x80 }
    let size = UInt32(min(size, Self.limit32))
    header.append(littleEndian: (isZip64 ? 45 : 20) as UInt16)
    header.append(littleEndian: (isASCII ? 0 : 0x800) as UInt16)  // names in UTF-8
    header.append(littleEndian: 0 as UInt16)  // stored
    header.append(littleEndian: 0 as UInt16)  // midnight
    header.append(littleEndian: Self.earliestDate)
    header.append(littleEndian: crc)
    header.append(littleEndian: size)
    header.append(littleEndian: size)
    header.append(littleEndian: UInt16(name.count))
  }

  private func appendZip64End(to end: inout [UInt8], start: Int, size: Int) {
    end.append(littleEndian: 0x0606_4b50 as UInt32)
    end.append(littleEndian: 44 as UInt64)
    end.append(littleEndian: (3 << 8 | 45) as UInt16)
    end.append(littleEndian: 45 as UInt16)
    end.append(littleEndian: 0 as UInt64)  // disks
    end.append(littleEndian: UInt64(count))
    end.append(littleEndian: UInt64(count))
    end.append(littleEndian: UInt64(size))
    end.append(littleEndian: UInt64(start))
    end.append(littleEndian: 0x0706_4b50 as UInt32)
    end.append(littleEndian: 0 as UInt32)
    end.append(littleEndian: UInt64(start + size))
    end.append(littleEndian: 1 as UInt32)
  }

  private func put(_ bytes: [UInt8]) throws(FileError) {
    offset += bytes.count
    pending += bytes
    if pending.count >= Self.bufferSize { try flush() }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    offset += bytes.count
    if bytes.count < Self.bufferSize {
      pending += bytes
      if pending.count >= Self.bufferSize { try flush() }
    } else {
      try flush()
      try write(bytes)
    }
  }

  /// Hands everything added so far to the file or the spool.
  package func flush() throws(FileError) {
    let failure: FileError? = pending.withUnsafeBytes { bytes in
      do throws(FileError) { try write(bytes) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    pending.removeAll(keepingCapacity: true)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    switch destination {
    case .file(let file): try file.write(bytes)
    case .spool(let spool): try spool.append(bytes)
    }
  }
}
